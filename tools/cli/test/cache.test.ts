// `waybill cache` as who looks after a registry calls it.

import { stat } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BlobStore, type RunResult } from "@waybill/oci";
import { RegistryClient, anonymous } from "@waybill/oci/registry";
import { type RunningRegistry, startRegistry } from "@waybill/testing";
import { putEntry } from "../../cache/src/entries.ts";
import { pushImage } from "../../cache/src/images.ts";
import { builtResult } from "../../cache/test/support/results.ts";
import { Workspace } from "../../image/test/support/workspace.ts";

const REPOSITORY = "team/nx-cache";
const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

describe("waybill cache", { timeout: 60_000 }, () => {
  let workspace: Workspace;
  let registry: RunningRegistry;
  let client: RegistryClient;
  beforeAll(async () => {
    registry = await startRegistry();
    client = new RegistryClient(registry.host, { credentials: anonymous });
    workspace = await Workspace.create();
    const options = { remoteCache: `${registry.host}/${REPOSITORY}` };
    await workspace.write({ "nx.json": { plugins: [{ plugin: "@waybill/nx-plugin", options }] } });
    const store = new BlobStore(workspace.store);
    for (const [hash, days] of Object.entries({ 1: 40, 2: 35, 3: 1 })) {
      const { record, tarball } = await builtResult(store, hash);
      await pushImage(client, REPOSITORY, record, store, { progress: () => {} });
      const facts = { hash, project: "api", target: "docker-build", created: daysAgo(days), image: record.digest };
      await putEntry(client, { repository: REPOSITORY, prefix: "nx-" }, facts, tarball, {
        key: undefined,
        replace: false,
      });
    }
  });
  afterAll(async () => {
    await registry.stop();
    await workspace.remove();
  });

  const cache = (...args: string[]): Promise<RunResult> => workspace.waybill("cache", ...args);
  const entries = async (): Promise<string[]> =>
    (await client.listTags(REPOSITORY)).filter((tag) => tag.startsWith("nx-")).sort();

  test("stats tells what is in it", async () => {
    const { exitCode, stdout, stderr } = await cache("stats");
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^127\.0\.0\.1:\d+\/team\/nx-cache: 3 images, \d+\.\d kB; entries from \d{4}-\d\d-\d\d to /);
    expect(stdout).toMatch(/^ {2}docker-build +3 +\d+\.\d kB$/m);
    expect(stdout).toMatch(/^127\.0\.0\.1:\d+\/team\/nx-cache-untrusted: empty$/m);
    const [trusted] = JSON.parse((await cache("stats", "--json")).stdout) as { images: number }[];
    expect(trusted).toMatchObject({ images: 3, targets: [{ target: "docker-build", entries: 3 }] });
  });

  test("prune --dry-run deletes nothing", async () => {
    const { stdout } = await cache("prune", "--keep-per-image", "2", "--dry-run", "--verbose");
    expect(stdout).toContain("team/nx-cache: would delete 1 entries and 3 manifests of images; 2 and 6 stay\n  nx-1\n");
    expect(await entries()).toEqual(["nx-1", "nx-2", "nx-3"]);
  });

  test("prune deletes that, and then nothing more", async () => {
    const { stdout, exitCode } = await cache("prune", "--keep-per-image", "2");
    expect(stdout).toContain("team/nx-cache: deleted 1 entries and 3 manifests of images; 2 and 6 stay\n");
    expect(exitCode).toBe(0);
    expect(await entries()).toEqual(["nx-2", "nx-3"]);
    expect((await cache("prune", "--keep-per-image", "2")).stdout).toContain("deleted 0 entries and 0 manifests");
    await cache("prune", "--keep", "36d", "--keep-per-image", "0");
    expect(await entries()).toEqual(["nx-2", "nx-3"]);
    await cache("prune", "--keep", "30d", "--keep-per-image", "0");
    expect(await entries()).toEqual(["nx-3"]);
  });

  test.each([
    [["prune", "--keep", "soon"], "--keep soon is no duration: write 30d, 12h or 4w"],
    [["prune", "--keep-per-image", "few"], "--keep-per-image few is no number"],
    [["sweep"], 'unknown action "sweep": use prune, stats, key'],
    [["key"], "the key's file is missing: npx waybill cache key FILE"],
  ])("%j is told in one line", async (args, told) => {
    const { exitCode, stderr } = await cache(...args);
    expect(stderr).toContain(told);
    expect(exitCode).toBe(2);
  });

  test("key writes the private half to a file that only its owner reads, and prints the other", async () => {
    const file = workspace.path("cache.pem");
    const { stdout, exitCode } = await cache("key", file);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^"remoteCacheKeys": \["MCowBQYDK2VwAyEA[A-Za-z0-9+/=]+"\]$/m);
    expect(stdout).not.toContain("PRIVATE");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await workspace.read("cache.pem")).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect((await cache("key", file)).stderr).toContain("there is a file of that name");
  });

  test("says so where there is no remote cache", async () => {
    const { exitCode, stderr } = await workspace.waybillWith(
      { env: { WAYBILL_REMOTE_CACHE: "off" } },
      "cache",
      "stats",
    );
    expect(stderr).toMatch(/^waybill: there is no remote cache: set "remoteCache" in nx\.json/);
    expect(exitCode).toBe(2);
  });
});
