// A mirror of a test's own: our registry, in front of upstreams of the test.

import { Holdings, makeConfig } from "@waybill/registry";
import { type PullOptions, type Pulled, pullAll } from "@waybill/mirror/pull";
import { parseReference } from "@waybill/oci";
import { startTestRegistry } from "../../registry/test/harness.ts";
import type { TestRegistry } from "../../registry/test/harness.ts";
import { waybill } from "../src/backend/waybill.ts";

export interface TestMirror extends TestRegistry {
  holdings: Holdings;
  /** @returns an entry an image, in their order */
  pull(images: readonly string[], options?: Partial<PullOptions>): Promise<Pulled[]>;
}

/** @param urls where upstreams answer, by host */
export async function startMirror(urls: Record<string, string>, settings: object = {}): Promise<TestMirror> {
  const upstreams = Object.fromEntries(
    Object.entries(urls).map(([host, url]) => [
      host,
      { url, answerWithin: "2s", silentFor: "2s", revalidateAfter: "1h" },
    ]),
  );
  const registry = await startTestRegistry({ upstreams, ...settings });
  const holdings = new Holdings(registry.folder);
  const backend = waybill(makeConfig({ upstreams }, registry.folder), registry.url);
  return Object.assign(registry, {
    holdings,
    pull: async (images: readonly string[], options: Partial<PullOptions> = {}) =>
      await pullAll(
        backend,
        holdings,
        images.map((image) => ({ reference: parseReference(image) })),
        { platforms: ["linux/amd64"], concurrency: 4, ...options },
      ),
  });
}
