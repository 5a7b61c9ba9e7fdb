// Bundles: how much smaller than what people carry otherwise, which is `docker save | gzip`, an image at a time; and what they take of
// the memory, however large they are.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip, createZstdDecompress } from "node:zlib";
import { findImage, findImages, hasBytes, recordOfImage, store } from "@waybill/image";
import { type LayerRecord, compressionOf } from "@waybill/oci";
import type { Options } from "./options.ts";
import { type Row, figureOf, skipped } from "./row.ts";

const BENCH = "bundle";
const WAYBILL = join(import.meta.dirname, "../tools/cli/src/waybill.ts");
/** node and python, and all that stands on them: what a site gets that runs the ones and builds on the others. */
const FAMILY = ["node", "python", "agent", "api", "ceph", "ml", "opencost-ui", "rook-ceph"];
/** Loads of Node itself, and of our TypeScript. */
const MOST_MB = 250;

export async function bundle({ images }: Options): Promise<Row[]> {
  const built = await builtOf(images ?? FAMILY);
  if (built.length < 2) return [skipped(BENCH, "no two images are built here", "<= half")];
  const folder = mkdtempSync(join(tmpdir(), "waybill-bench-bundle-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const family = await archive(built, join(folder, "family.tar"));
  const theirs = await savedOneByOne(built);
  const rows = [
    figureOf({
      bench: BENCH,
      what: `bundle of ${built.join(", ")}; docker save | gzip one by one: ${(theirs / 1e6).toFixed(0)} MB`,
      value: family.size / 1e6,
      mark: Math.round(theirs / 2e6),
      unit: "MB",
    }),
  ];
  const all = await archive(await builtOf([...(await findImages()).keys()]), join(folder, "all.tar"));
  const what = `resident at most while ${(all.size / 1e6).toFixed(0)} MB are archived (${(family.size / 1e6).toFixed(0)} MB: ${family.memory.toFixed(0)})`;
  return [...rows, figureOf({ bench: BENCH, what, value: all.memory, mark: MOST_MB, unit: "MB" })];
}

/** Those of which all bytes are near. */
async function builtOf(names: readonly string[]): Promise<string[]> {
  const built: string[] = [];
  for (const name of names) {
    const record = await recordOfImage(await findImage(name)).catch(() => undefined);
    if (record && (await hasBytes(record))) built.push(name);
  }
  return built;
}

/** @returns the bundle's size in bytes, and what the process that made it had resident at its most, in MB */
async function archive(names: readonly string[], out: string): Promise<{ size: number; memory: number }> {
  const command = [WAYBILL, "mirror", "archive", ...names, "--out", out, "--dir", join(out, "..", "no-mirror")];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "ignore", "inherit"] });
  let memory = 0;
  const timer = setInterval(() => {
    void readFile(`/proc/${child.pid}/status`, "utf8")
      .then((status) => (memory = Math.max(memory, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1000)))
      .catch(() => {});
  }, 20);
  const [code] = (await once(child, "exit")) as [number | null];
  clearInterval(timer);
  if (code !== 0) throw new Error(`waybill mirror archive ended with ${code}`);
  return { size: statSync(out).size, memory };
}

/**
 * What `docker save <image> | gzip` of each would be, in bytes: the engine keeps layers unpacked, and its file has them so. Its few
 * kilobytes of JSON are left out.
 */
async function savedOneByOne(names: readonly string[]): Promise<number> {
  let total = 0;
  for (const name of names) {
    const { platforms } = await recordOfImage(await findImage(name));
    for (const { layers } of platforms) total += await gzipped(layers);
    process.stderr.write(`bench: docker save ${name} | gzip\n`);
  }
  return total;
}

async function gzipped(layers: readonly LayerRecord[]): Promise<number> {
  let size = 0;
  const count = new Writable({
    write(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      done();
    },
  });
  await pipeline(unpacked(layers), createGzip(), count);
  return size;
}

async function* unpacked(layers: readonly LayerRecord[]): AsyncGenerator<Buffer> {
  for (const { digest, mediaType } of layers) {
    const packed = store().readStream(digest);
    const compression = compressionOf(mediaType);
    const plain = compression === "zstd" ? createZstdDecompress() : createGunzip();
    const bytes = compression === "none" ? packed : packed.pipe(plain);
    for await (const chunk of bytes) yield chunk as Buffer;
  }
}
