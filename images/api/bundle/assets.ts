/**
 * Packs the only files of PGlite that are read at run time, its WebAssembly and PostgreSQL's share files: 4 MB instead of 16. In a stage
 * of its own, as level 22 takes seconds and a change to src/ must not.
 *
 *     node bundle/assets.ts <to>
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { constants, zstdCompressSync } from "node:zlib";

const names = ["pglite.wasm", "initdb.wasm", "pglite.data"];

/** Writes `to`/pglite/*.zst, from the PGlite that `from` (a package.json's path) resolves to. */
export async function packAssets(from: string, to: string): Promise<void> {
  const dist = dirname(createRequire(from).resolve("@electric-sql/pglite"));
  await mkdir(join(to, "pglite"), { recursive: true });
  for (const name of names) {
    const packed = zstdCompressSync(await readFile(join(dist, name)), {
      params: { [constants.ZSTD_c_compressionLevel]: 22 },
    });
    await writeFile(join(to, "pglite", `${name}.zst`), packed);
  }
}

if (import.meta.main) await packAssets(join(process.cwd(), "package.json"), process.argv[2] ?? "dist");
