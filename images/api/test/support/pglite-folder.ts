/** Data directories with a cluster in them, as initdb takes seconds and a copy doesn't. */
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { openPGlite } from "../../src/database/pglite.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const require = createRequire(import.meta.url);
const manifest = join(require.resolve("@electric-sql/pglite"), "../../package.json"); // which it doesn't export
const { version } = require(manifest) as { version: string };
const cache = new URL("../../../../node_modules/.cache/waybill-api", import.meta.url).pathname;

/** A folder for DATA_DIR, initialised and empty, gone after the test or the describe that asked. */
export async function pgliteFolder(): Promise<string> {
  const folder = await temporaryFolder();
  await cp(await template(), folder, { recursive: true });
  return folder;
}

/** Made once for each version of PGlite; test files that make it at the same time agree by the rename. */
async function template(): Promise<string> {
  const made = join(cache, `pglite-${version}`);
  if (existsSync(made)) return made;
  await mkdir(cache, { recursive: true });
  const making = await mkdtemp(join(cache, "new-"));
  await (await openPGlite(making)).close();
  await rename(making, made).catch(() => rm(making, { recursive: true }));
  return made;
}
