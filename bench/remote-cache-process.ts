// The hook as Nx has it, in a process of its own: asked for many records at once, as Nx asks. Prints how long it took and what it took
// of memory. Started by remote-cache.ts.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HookFigures } from "./remote-cache.ts";

const [location = "", count = "0"] = process.argv.slice(2);
// What every run of Nx has loaded already is not the hook's.
await import("@waybill/nx-plugin");
const before = process.memoryUsage.rss();
const started = performance.now();
const { CacheRun } = await import("@waybill/cache/run");
const { cacheSettings } = await import("@waybill/cache/settings");
const { BlobStore } = await import("@waybill/oci/blobstore");
const settings = cacheSettings({ remoteCache: location }, {});
if (settings === undefined) throw new Error("no settings");
const folder = mkdtempSync(join(tmpdir(), "waybill-hook-"));
const run = await CacheRun.start({ settings, store: new BlobStore(folder), workspaceRoot: folder });
const { NX_SELF_HOSTED_REMOTE_CACHE_SERVER: server, NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: token } = run.environment;
const headers = { authorization: `Bearer ${token}` };
let peak = 0;
const hashes = Array.from({ length: Number(count) }, (_, index) => String(index + 1));
const found = await Promise.all(
  hashes.map(async (hash) => {
    const { status, ok } = await fetch(`${server}/v1/cache/${hash}`, { headers });
    peak = Math.max(peak, process.memoryUsage.rss());
    if (!ok) throw new Error(`${status} for ${hash}; ${run.fault}`);
    return status;
  }),
);
const figures: HookFigures = { seconds: (performance.now() - started) / 1000, memory: peak - before };
if (found.length !== hashes.length) throw new Error("some are missing");
await run.stop();
rmSync(folder, { recursive: true });
console.log(JSON.stringify(figures));
