// The hook as Nx has it, in a process of its own. Prints where it serves, and when its stdin ends what it took of memory. Started by
// remote-cache.ts, which asks it.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HookAddress, HookFigures } from "./remote-cache.ts";

const [location = ""] = process.argv.slice(2);
// What every run of Nx has loaded already is not the hook's.
await import("@waybill/nx-plugin");
const before = peak();
const { CacheRun } = await import("@waybill/cache/run");
const { cacheSettings } = await import("@waybill/cache/settings");
const { BlobStore } = await import("@waybill/oci/blobstore");
const settings = cacheSettings({ remoteCache: location }, {});
if (settings === undefined) throw new Error("no settings");
const folder = mkdtempSync(join(tmpdir(), "waybill-hook-"));
const run = await CacheRun.start({ settings, store: new BlobStore(folder), workspaceRoot: folder });
const { NX_SELF_HOSTED_REMOTE_CACHE_SERVER: server = "", NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: token = "" } =
  run.environment;
const address: HookAddress = { server, token };
console.log(JSON.stringify(address));
await once(process.stdin.resume(), "end");
if (run.fault !== undefined) throw new Error(run.fault);
const figures: HookFigures = { memory: peak() - before };
await run.stop();
rmSync(folder, { recursive: true });
console.log(JSON.stringify(figures));

/** The most that this process ever held, in bytes. */
function peak(): number {
  return process.resourceUsage().maxRSS * 1024;
}
