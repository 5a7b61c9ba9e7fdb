// What people and machines see of a running registry, besides images.

import { statfs } from "node:fs/promises";
import { answer, answerJson } from "../api/exchange.ts";
import type { Exchange } from "../api/exchange.ts";
import type { Registry } from "../registry.ts";
import { page, STYLE_HASH } from "./page.ts";
import { stateOf } from "./state.ts";

/** For load balancers and `mirror check`: it answers, and its disk can be asked. */
export async function healthOf({ store }: Registry, exchange: Exchange): Promise<void> {
  await statfs(store.folder);
  answerJson(exchange, 200, { status: "ok" });
}

export async function metricsOf({ metrics, store, blobs, upstreams }: Registry, exchange: Exchange): Promise<void> {
  const { bavail, bsize } = await statfs(store.folder);
  metrics.set("waybill_registry_free_bytes", bavail * bsize);
  metrics.set("waybill_registry_downloads", blobs.downloads);
  metrics.set("waybill_registry_damaged", (await store.vault.damaged()).length);
  for (const { host, state } of upstreams.health())
    metrics.set("waybill_registry_upstream_up", state === "closed" ? 1 : 0, { upstream: host });
  answer(exchange, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }, metrics.text());
}

export async function pageOf(registry: Registry, exchange: Exchange): Promise<void> {
  const state = await stateOf(registry);
  const readable = state.repositories.filter(({ name }) => registry.access.mayRead(exchange.user, name));
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": `default-src 'none'; style-src '${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  };
  answer(exchange, 200, headers, page({ ...state, repositories: readable }, registry.pulls.newest()));
}
