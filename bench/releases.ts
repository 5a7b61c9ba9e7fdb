// Releases: fifteen images whose bytes the registry has, and what changed between two images of 150 MB.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { diffImages } from "@waybill/inventory";
import {
  BlobStore,
  type ImageRecord,
  MEDIA_TYPE,
  canonicalJson,
  digestOf,
  indexOf,
  readRecord,
  recordOf,
} from "@waybill/oci";
import { RegistryClient, carryOut, planPush } from "@waybill/oci/registry";
import { planPublish, publish } from "@waybill/release";
import { startRegistry } from "../tools/testing/src/registry.ts";
import { tarOf } from "../tools/oci/test/tar-of.ts";
import { repoOf } from "../tools/release/test/repo.ts";
import { type Row, within } from "./row.ts";

const BENCH = "releases";
const IMAGES = 15;
const RELEASE_LIMIT_S = 5;
const DIFF_LIMIT_S = 3;

export async function releases(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "waybill-bench-releases-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return [await release(join(folder, "repo")), await diff(new BlobStore(join(folder, "store")))];
}

async function release(root: string): Promise<Row> {
  const registry = await startRegistry();
  try {
    const names = Array.from({ length: IMAGES }, (_, index) => `image-${index}`);
    const repo = repoOf(root, names);
    const client = new RegistryClient(registry.host);
    for (const name of names) {
      const { digest } = await repo.build(name, "1");
      await carryOut(client, repo.store, await planPush(client, repo.store, digest, `team/${name}`, []));
    }
    const recordOfName = (name: string): Promise<ImageRecord> => readRecord(`${root}/images/${name}/dist/image.json`);
    let blobs = 0;
    const started = performance.now();
    const options = {
      registry: `${registry.host}/team`,
      charts: `${registry.host}/charts`,
      store: repo.store,
      recordOf: recordOfName,
    };
    await publish(root, await planPublish(root, options), {
      store: repo.store,
      bringBytes: recordOfName,
      onProgress: (_name, { kind }) => void (blobs += kind === "blob" ? 1 : 0),
    });
    const ours = (performance.now() - started) / 1000;
    if (blobs > 0) throw new Error(`${blobs} layers moved`);
    return within(
      { bench: BENCH, what: `publish of ${IMAGES} images that the registry has, to Debian's docker-registry`, ours },
      RELEASE_LIMIT_S,
    );
  } finally {
    await registry.stop();
  }
}

async function diff(store: BlobStore): Promise<Row> {
  const base = Array.from({ length: 200 }, (_, index) => file(`usr/lib/base-${index}`, 500_000, index));
  const app = (seed: number) =>
    Array.from({ length: 100 }, (_, index) => file(`app/file-${index}`, 500_000, seed + index));
  const before = await imageOf(store, [base, app(1_000)]);
  const after = await imageOf(store, [base, app(1_050)]);
  const started = performance.now();
  const { platforms } = await diffImages(store, "bench", before, after);
  const ours = (performance.now() - started) / 1000;
  if (platforms[0]?.files.length !== 100) throw new Error(`${platforms[0]?.files.length} files differ, 100 do`);
  const size = `${Math.round((after.platforms[0]?.unpackedSize ?? 0) / 1e6)} MB`;
  return within({ bench: BENCH, what: `diff of two images of ${size}, blobs at hand`, ours }, DIFF_LIMIT_S);
}

/** Text that compresses to about a half, as programs do. */
function file(path: string, size: number, seed: number) {
  const content = Buffer.alloc(size);
  let state = seed + 1;
  for (let at = 0; at < size; at++) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    content[at] = at % 2 === 0 ? state % 251 : 0;
  }
  return { path, content };
}

async function imageOf(store: BlobStore, steps: ReturnType<typeof file>[][]): Promise<ImageRecord> {
  const tars = steps.map((entries) => tarOf(entries));
  const layers = [];
  for (const tar of tars) layers.push({ mediaType: MEDIA_TYPE.layerZstd, ...(await store.put(zstdCompressSync(tar))) });
  const config = {
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: tars.map((tar) => digestOf(tar)) },
    history: steps.map((_, index) => ({ created_by: `COPY ${index}` })),
  };
  const stored = { mediaType: MEDIA_TYPE.config, ...(await store.put(canonicalJson(config))) };
  const manifest = canonicalJson({ schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config: stored, layers });
  const descriptor = { mediaType: MEDIA_TYPE.manifest, ...(await store.put(manifest)) };
  const index = await indexOf(store, [{ ...descriptor, platform: { os: "linux", architecture: "amd64" } }]);
  return await recordOf(store, index.digest, { name: "bench" });
}
