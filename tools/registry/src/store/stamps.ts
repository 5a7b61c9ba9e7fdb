// How it is known that a blob's bytes are still those that were verified: a stamp with the file's size, inode and times of that
// moment. Whoever changes the file changes its ctime, which nothing but the kernel sets. A file that doesn't match its stamp is
// read again before it is served; decay below the file system is the scrub's to find.

import type { Stats } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { splitDigest } from "@waybill/oci/digest";
import type { Digest } from "@waybill/oci/digest";

/** More than most stores have blobs; beyond it stamps are read from their files again. */
const REMEMBERED = 50_000;

export class Stamps {
  readonly #folder: string;
  readonly #known = new Map<Digest, { state: string; verified: number }>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** When the file was last verified in the state it is in (milliseconds since the epoch); undefined if it never was. */
  async verifiedAt(digest: Digest, stats: Stats): Promise<number | undefined> {
    const stamp = this.#known.get(digest) ?? (await this.#read(digest));
    return stamp?.state === stateOf(stats) ? stamp.verified : undefined;
  }

  /** Notes that the file was verified. A stamp that gets lost or torn costs one more reading, so it isn't flushed. */
  async set(digest: Digest, stats: Stats, verified = Date.now()): Promise<void> {
    const stamp = { state: stateOf(stats), verified };
    this.#remember(digest, stamp);
    const file = this.#file(digest);
    const write = async (): Promise<void> => await writeFile(file, `${stamp.state} ${verified}\n`);
    await write()
      .catch(async () => {
        await mkdir(dirname(file), { recursive: true });
        await write();
      })
      .catch(() => {});
  }

  async forget(digest: Digest): Promise<void> {
    this.#known.delete(digest);
    await rm(this.#file(digest), { force: true });
  }

  async #read(digest: Digest): Promise<{ state: string; verified: number } | undefined> {
    const text = await readFile(this.#file(digest), "utf8").catch(() => "");
    const { state, verified } = /^(?<state>\S+) (?<verified>\d+)\n$/.exec(text)?.groups ?? {};
    if (state === undefined) return undefined;
    const stamp = { state, verified: Number(verified) };
    this.#remember(digest, stamp);
    return stamp;
  }

  #remember(digest: Digest, stamp: { state: string; verified: number }): void {
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(digest, stamp);
  }

  #file(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest);
    return join(this.#folder, algorithm, hex.slice(0, 2), hex);
  }
}

function stateOf({ size, ino, mtimeMs, ctimeMs }: Stats): string {
  return [size, ino, mtimeMs, ctimeMs].join(":");
}
