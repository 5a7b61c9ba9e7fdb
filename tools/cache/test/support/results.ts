// Results of tasks as Nx packs them, and the cache as one machine sees it.

import { gzipSync } from "node:zlib";
import type { BlobStore, ImageRecord } from "@waybill/oci";
import { recordOf, serialiseRecord } from "@waybill/oci";
import { putImage } from "../../../oci/test/fixtures.ts";
import { type TarEntry, tarOf } from "../../../oci/test/tar-of.ts";
import { type CacheOptions, Remote, accessOf, cacheSettings } from "../../src/index.ts";
import type { RemoteOptions } from "../../src/remote.ts";

type Environment = Record<string, string | undefined>;

export interface Result {
  record: ImageRecord;
  tarball: Buffer;
}

const CODE = Buffer.alloc(4);

/** What Nx sends for a task that went well. */
export const packed = (...outputs: TarEntry[]): Buffer =>
  gzipSync(tarOf([...outputs, { path: "terminalOutput", content: "done\n" }, { path: "code", content: CODE }]));

/** A docker-build of a small image for two platforms, its bytes in the store. */
export async function builtResult(store: BlobStore, seed = "a"): Promise<Result> {
  const { digest } = await putImage(store, seed);
  const record = await recordOf(store, digest, { name: "api" });
  return { record, tarball: packed({ path: "images/api/dist/image.json", content: serialiseRecord(record) }) };
}

/** Of a lint, whose output is what it printed. */
export const lintResult = (): Buffer => packed();

export interface MachineOptions extends CacheOptions, RemoteOptions {
  env?: Environment;
}

/** The cache as a process on another machine sees it: it remembers nothing. */
export function remoteOf(host: string, store: BlobStore, options: MachineOptions = {}): Remote {
  const { env = {}, describe, key, ...rest } = options;
  const settings = cacheSettings({ remoteCache: `${host}/team/nx-cache`, ...rest }, {});
  if (settings === undefined) throw new Error("no settings");
  return new Remote(settings, accessOf(settings.repository, env), store, { ...(describe && { describe }), key });
}

/** Stores a result and waits until it is there. */
export async function store(remote: Remote, hash: string, tarball: Buffer): Promise<void> {
  remote.put(hash, tarball);
  await remote.settled();
}
