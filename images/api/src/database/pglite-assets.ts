/** PGlite's WebAssembly and its share files. The image ships them compressed (4 MB instead of 16); in development they are PGlite's own. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import type { PGliteOptions } from "@electric-sql/pglite";

/** Written by bundle/assets.ts beside the program. */
const folder = new URL("./pglite/", import.meta.url);

type Assets = Pick<PGliteOptions, "pgliteWasmModule" | "initdbWasmModule" | "fsBundle">;

/** Options for `PGlite.create`: empty where PGlite finds its files by itself. */
export async function pgliteAssets(): Promise<Assets> {
  if (!existsSync(folder)) return {};
  const [pglite, initdb, share] = await Promise.all(["pglite.wasm", "initdb.wasm", "pglite.data"].map(unpack));
  return {
    pgliteWasmModule: await WebAssembly.compile(pglite!),
    initdbWasmModule: await WebAssembly.compile(initdb!),
    fsBundle: new Blob([share!]),
  };
}

async function unpack(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const unpacked = await promisify(zstdDecompress)(await readFile(new URL(`${name}.zst`, folder)));
  return unpacked;
}
