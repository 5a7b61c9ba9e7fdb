// The remote cache in a registry of another make: Waybill's own. (Debian's is in tools/cache/test.)

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { carryOutPrune, listCache, planPrune, statsOf } from "@waybill/cache";
import { BlobStore } from "@waybill/oci";
import { RegistryClient, anonymous } from "@waybill/oci/registry";
import { type RunningServer, makeConfig, silent, startServer } from "@waybill/registry";
import { builtResult, lintResult, remoteOf, store } from "../../cache/test/support/results.ts";

const REPOSITORY = "team/nx-cache";

describe("Waybill's own registry", { timeout: 60_000 }, () => {
  let folder: string;
  let server: RunningServer;
  let host: string;
  let here: BlobStore;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "waybill-other-"));
    server = await startServer(makeConfig({ keepFree: "0B", listen: "127.0.0.1:0" }, join(folder, "registry")), silent);
    ({ host } = new URL(server.url));
    here = new BlobStore(join(folder, "here"));
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  test("keeps results and images, and gives them to another machine", async () => {
    const { record, tarball } = await builtResult(here);
    const first = remoteOf(host, here);
    await store(first, "1", tarball);
    await store(first, "2", lintResult());
    const there = new BlobStore(join(folder, "there"));
    const second = remoteOf(host, there);
    expect(await second.get("1")).toEqual(tarball);
    expect(await second.get("2")).toEqual(lintResult());
    expect(await second.fetch(record)).toBe(true);
    await there.verify(record.digest);
    expect([first.fault, second.fault]).toEqual([undefined, undefined]);
  });

  test("keeps pull requests apart", async () => {
    const env = { GITHUB_ACTIONS: "true", GITHUB_EVENT_NAME: "pull_request", GITHUB_REF: "refs/pull/1/merge" };
    const { tarball } = await builtResult(here, "b");
    await store(remoteOf(host, here, { env }), "3", tarball);
    expect(await remoteOf(host, here, { env }).get("3")).toEqual(tarball);
    expect(await remoteOf(host, here).get("3")).toBeUndefined();
  });

  test("is counted and pruned", async () => {
    const client = new RegistryClient(host, { credentials: anonymous });
    const list = () => listCache(client, REPOSITORY);
    expect(statsOf(await list())).toMatchObject({ images: 1, targets: [{ entries: 2 }] });
    const plan = planPrune(await list(), { keepMs: 0, keepPerImage: 0, now: Date.now() + 1 });
    await carryOutPrune(client, plan, plan);
    expect(await client.listTags(REPOSITORY)).toEqual([]);
  });
});
