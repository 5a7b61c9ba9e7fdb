// Lists (distribution-spec, "Listing Tags", "Listing Referrers"; the catalogue is distribution's own).

import { isDigest } from "@waybill/oci/digest";
import type { Descriptor } from "@waybill/oci/descriptor";
import { MEDIA_TYPE } from "@waybill/oci/mediatype";
import { formatName, readName } from "../name.ts";
import type { Name } from "../name.ts";
import type { Registry } from "../registry.ts";
import { answer, answerJson, parameter, STALE } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { CHALLENGE, digestInvalid, nameUnknown, Problem } from "./problem.ts";

export async function listTags(registry: Registry, exchange: Exchange, name: Name): Promise<void> {
  const { tags, stale } = await tagsOf(registry, name);
  const { page, next } = pageOf(tags, exchange);
  // As the client calls it: with "ns" the host is no part of the name.
  const asked = parameter(exchange, "ns") === undefined ? formatName(name) : name.repository;
  answerJson(exchange, 200, { name: asked, tags: page }, { ...linkTo(exchange, next), ...(stale && STALE) });
}

async function tagsOf(registry: Registry, name: Name): Promise<{ tags: string[]; stale: boolean }> {
  const { upstream } = name;
  if (upstream !== undefined) return await registry.images.tags({ ...name, upstream });
  const repository = registry.store.repository(name);
  const tags = await repository.tags();
  if (tags.length === 0 && !(await repository.exists())) throw nameUnknown(formatName(name));
  return { tags, stale: false };
}

export async function listReferrers(registry: Registry, exchange: Exchange, name: Name, text: string): Promise<void> {
  if (!isDigest(text)) throw digestInvalid(`"${text}" is no digest`);
  const { upstream } = name;
  const { referrers, stale } =
    upstream === undefined
      ? { referrers: await registry.store.repository(name).referrers(text), stale: false }
      : await registry.images.referrers({ ...name, upstream }, text);
  const wanted = parameter(exchange, "artifactType");
  const manifests = referrers.filter(({ artifactType }: Descriptor) => wanted === undefined || artifactType === wanted);
  const headers = {
    "content-type": MEDIA_TYPE.index,
    ...(wanted !== undefined && { "oci-filters-applied": "artifactType" }),
    ...(stale && STALE),
  };
  answer(exchange, 200, headers, JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests }));
}

export async function listRepositories(registry: Registry, exchange: Exchange): Promise<void> {
  assertLoggedIn(registry, exchange);
  const names = await registry.store.names();
  const readable = names.filter((text) => {
    const name = readName(text);
    return name !== undefined && registry.access.mayRead(exchange.user, name);
  });
  const { page, next } = pageOf(readable, exchange);
  answerJson(exchange, 200, { repositories: page }, linkTo(exchange, next));
}

/** Most clients tell who they are only where they are asked: without this they would take the list of what all may read for the whole. */
function assertLoggedIn({ access, config }: Registry, { user }: Exchange): void {
  const hides = config.access.rules.some(({ read }) => !read.includes("anyone"));
  if (hides && user === undefined && access.users.any)
    throw new Problem(401, "UNAUTHORIZED", "log in to see the repositories", CHALLENGE);
}

/** @param all in order */
function pageOf(all: string[], exchange: Exchange): { page: string[]; next: string | undefined } {
  const last = parameter(exchange, "last");
  const n = parameter(exchange, "n");
  if (n !== undefined && !/^\d{1,9}$/.test(n)) throw new Problem(400, "UNSUPPORTED", `n=${n} is no number`);
  const rest = last === undefined ? all : all.slice(firstAfter(all, last));
  const page = n === undefined ? rest : rest.slice(0, Number(n));
  return { page, next: page.length > 0 && page.length < rest.length ? page.at(-1) : undefined };
}

/** By bisection: pages of a list of 10,000 tags. */
function firstAfter(all: string[], last: string): number {
  let low = 0;
  let high = all.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((all[middle] as string) <= last) low = middle + 1;
    else high = middle;
  }
  return low;
}

function linkTo({ url }: Exchange, last: string | undefined): Record<string, string> {
  if (last === undefined) return {};
  const query = new URLSearchParams(url.searchParams);
  query.set("last", last);
  return { link: `<${url.pathname}?${query}>; rel="next"` };
}
