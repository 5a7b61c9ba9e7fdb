// What a repository holds, as small files in a folder: a tag, a manifest, a blob or a referrer is a file of its own, written whole
// or not at all. So a crash loses nothing that was answered for, nothing has to be read at the start, and 10,000 tags are a listing
// of a folder.
//
//   _tags/<tag>                        which manifest
//   _manifests/<algorithm>/<hex>       it belongs here; the file's time is when it was last pulled
//   _blobs/<algorithm>/<hex>           it belongs here; the file's time is when someone last asked
//   _referrers/<algorithm>-<hex>/…     the descriptors of what has this manifest for its subject
//
// Components of names never begin with "_", so these can't collide with repositories below this one.

import { readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "@waybill/oci/atomic";
import { splitDigest } from "@waybill/oci/digest";
import type { Digest } from "@waybill/oci/digest";
import type { Descriptor } from "@waybill/oci/descriptor";
import { descriptorSchema, digestSchema } from "@waybill/oci/descriptor";
import type { UsedTimes } from "./used.ts";

const tagSchema = z.object({
  digest: digestSchema,
  /** When it was set to this digest, in milliseconds since the epoch. */
  set: z.number(),
  /** When the upstream last said so; absent for what was pushed. */
  checked: z.number().optional(),
});
export type Tag = z.output<typeof tagSchema>;

const manifestSchema = z.object({
  mediaType: z.string(),
  /** In bytes. */
  size: z.number(),
  /** When it came, in milliseconds since the epoch. */
  came: z.number(),
});
export type HeldManifest = z.output<typeof manifestSchema>;

export class Repository {
  readonly folder: string;
  readonly #used: UsedTimes;
  readonly #durable: boolean;

  /** @param durable false for what an upstream has too: then nobody waits for the disk */
  constructor(folder: string, used: UsedTimes, durable: boolean) {
    this.folder = folder;
    this.#used = used;
    this.#durable = durable;
  }

  /** True once something was stored in it. */
  async exists(): Promise<boolean> {
    const found = await Promise.all(["_manifests", "_blobs"].map((name) => isThere(join(this.folder, name))));
    return found.includes(true);
  }

  async tag(tag: string): Promise<Tag | undefined> {
    return await readRecord(this.#tagFile(tag), tagSchema);
  }

  async setTag(tag: string, record: Tag): Promise<void> {
    await this.#write(this.#tagFile(tag), JSON.stringify(record));
  }

  /** @returns false where there was none */
  async deleteTag(tag: string): Promise<boolean> {
    return await remove(this.#tagFile(tag));
  }

  /** All tags, in the order of their bytes (ASCIIbetical). */
  async tags(): Promise<string[]> {
    const names = await listing(join(this.folder, "_tags"));
    return names.filter((name) => !name.startsWith(".")).sort();
  }

  async manifest(digest: Digest): Promise<HeldManifest | undefined> {
    return await readRecord(this.#file("_manifests", digest), manifestSchema);
  }

  async addManifest(digest: Digest, record: HeldManifest): Promise<void> {
    await this.#write(this.#file("_manifests", digest), JSON.stringify(record));
  }

  async deleteManifest(digest: Digest): Promise<boolean> {
    return await remove(this.#file("_manifests", digest));
  }

  async manifests(): Promise<Digest[]> {
    return await this.#digests("_manifests");
  }

  async hasBlob(digest: Digest): Promise<boolean> {
    const file = this.#file("_blobs", digest);
    return (await this.#used.touch(file)) || (await isThere(file));
  }

  async addBlob(digest: Digest): Promise<void> {
    if (!(await this.hasBlob(digest))) await this.#write(this.#file("_blobs", digest), "");
  }

  async deleteBlob(digest: Digest): Promise<boolean> {
    return await remove(this.#file("_blobs", digest));
  }

  async blobs(): Promise<Digest[]> {
    return await this.#digests("_blobs");
  }

  /** Notes that the manifest was pulled now. */
  async use(digest: Digest): Promise<void> {
    await this.#used.touch(this.#file("_manifests", digest));
  }

  /** When a manifest was last pulled, or when a blob was last asked for; in milliseconds since the epoch. */
  async lastUsed(kind: "_manifests" | "_blobs", digest: Digest): Promise<number> {
    return (await stat(this.#file(kind, digest)).catch(() => undefined))?.mtimeMs ?? 0;
  }

  async addReferrer(subject: Digest, referrer: Descriptor): Promise<void> {
    await this.#write(this.#referrer(subject, referrer.digest), JSON.stringify(referrer));
  }

  async deleteReferrer(subject: Digest, referrer: Digest): Promise<void> {
    await remove(this.#referrer(subject, referrer));
  }

  async referrers(subject: Digest): Promise<Descriptor[]> {
    const folder = dirname(this.#referrer(subject, subject));
    const names = (await listing(folder)).filter((name) => !name.startsWith(".")).sort();
    const found = await Promise.all(names.map((name) => readRecord(join(folder, name), descriptorSchema)));
    return found.filter((descriptor) => descriptor !== undefined);
  }

  async #write(file: string, content: string): Promise<void> {
    await writeFileAtomic(file, content, undefined, this.#durable);
  }

  async #digests(kind: "_manifests" | "_blobs"): Promise<Digest[]> {
    const found: Digest[] = [];
    for (const algorithm of ["sha256", "sha512"] as const) {
      for (const name of await listing(join(this.folder, kind, algorithm)))
        if (!name.startsWith(".")) found.push(`${algorithm}:${name}`);
    }
    return found;
  }

  #tagFile(tag: string): string {
    return join(this.folder, "_tags", tag);
  }

  #file(kind: "_manifests" | "_blobs", digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest);
    return join(this.folder, kind, algorithm, hex);
  }

  #referrer(subject: Digest, referrer: Digest): string {
    const name = (digest: Digest): string => digest.replace(":", "-");
    return join(this.folder, "_referrers", name(subject), name(referrer));
  }
}

/** A record that is not there, or that a failing disk has spoilt, is no record: what it named can be pushed or fetched again. */
async function readRecord<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readFile(file, "utf8").catch(unlessMissing);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function listing(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(unlessMissing)) ?? [];
}

async function remove(file: string): Promise<boolean> {
  return await rm(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => unlessMissing(error) !== undefined,
  );
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(unlessMissing)) !== undefined;
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  // A path below a file: a name was pushed whose parent folder is no folder. Nothing is there.
  if (["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(error.code ?? "")) return undefined;
  throw error;
}
