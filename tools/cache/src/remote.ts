// The remote cache as one run sees it: what there is, what to store, and a note of what is known to exist. Nothing in here fails:
// what goes wrong is a miss, and is told once.

import type { KeyObject } from "node:crypto";
import { type BlobStore, type Digest, type ImageRecord, WaybillError, messageOf } from "@waybill/oci";
import { RegistryClient, RegistryError } from "@waybill/oci/registry";
import { getEntry, putEntry } from "./entries.ts";
import type { EntryFacts } from "./entry.ts";
import { fetchImage, hasImage, pushImage } from "./images.ts";
import { Lane } from "./lane.ts";
import { Patience } from "./patience.ts";
import type { CacheSettings } from "./settings.ts";
import { publicKey } from "./signature.ts";
import { MAX_TARBALL_BYTES, readTarball } from "./tarball.ts";
import type { Access, Place } from "./trust.ts";

/** Requests under way at a time: a fleet is asked for at once. */
const PARALLEL = 16;
/** One more try for a connection that broke; a cache isn't worth more. */
const RETRY = { attempts: 2, pauseMs: 50, maxPauseMs: 200 };

/** What a run knows of its tasks beside their hash. */
export type Describe = (hash: string) => Promise<Omit<EntryFacts, "hash" | "image" | "created">>;

export interface RemoteOptions {
  /** Annotates entries. */
  describe?: Describe;
  /** Signs entries. */
  key?: KeyObject | undefined;
}

export class Remote {
  readonly #client: RegistryClient;
  readonly #access: Access;
  readonly #store: BlobStore;
  readonly #describe: Describe;
  readonly #patience = new Patience();
  readonly #reads = new Lane(PARALLEL);
  /** One image after the other: what they share is sent once. */
  readonly #writes = new Lane(1);
  readonly #publicKeys: readonly KeyObject[];
  readonly #key: KeyObject | undefined;
  readonly #images = new Map<Digest, Place>();
  /** Hashes whose entry is there and can't be used. */
  readonly #spoilt = new Set<string>();
  #writable: boolean;

  /** @throws {WaybillError} a public key is none */
  constructor(settings: CacheSettings, access: Access, store: BlobStore, { describe, key }: RemoteOptions = {}) {
    const { registry, plainHttp, publicKeys } = settings;
    this.#client = new RegistryClient(registry, { plainHttp, retry: RETRY, signal: this.#patience.signal });
    this.#access = access;
    this.#store = store;
    this.#describe = describe ?? (async () => ({}));
    this.#publicKeys = publicKeys.map(publicKey);
    this.#key = key;
    // Where only signed entries count, writing others is idle.
    this.#writable = access.write !== undefined && (publicKeys.length === 0 || this.#key !== undefined);
  }

  /** What went wrong first, as one line. */
  get fault(): string | undefined {
    return this.#patience.fault;
  }

  get isOff(): boolean {
    return this.#patience.isOff;
  }

  /** Calls back when the cache is given up. */
  onOff(action: () => void): void {
    this.#patience.signal.addEventListener("abort", action, { once: true });
  }

  /** False where storing anything is known to be refused. */
  get writable(): boolean {
    return this.#writable && !this.#patience.isOff;
  }

  /** The tarball of a task whose result can be used: of an image, only where the image is there. */
  async get(hash: string): Promise<Buffer | undefined> {
    for (const place of this.#access.read) {
      const found = await this.#reads.run(() => this.#getAt(place, hash));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #getAt(place: Place, hash: string): Promise<Buffer | undefined> {
    if (this.#patience.isOff) return undefined;
    try {
      return await this.#patience.with(`${this.#client.registry}/${place.repository}`, async (progress) => {
        const found = await getEntry(this.#client, place, hash, this.#publicKeys);
        progress();
        if (found?.record === undefined) return found?.tarball;
        if (await this.#confirm(place, found.record)) return found.tarball;
        this.#spoilt.add(hash);
        return undefined;
      });
    } catch (error) {
      this.#spoilt.add(hash);
      this.#readFailed(error);
      return undefined;
    }
  }

  /** A registry that is unwell is left alone; an entry that is no good is passed over. */
  #readFailed(error: unknown): void {
    if (this.#patience.isOff) return;
    const spoilt = error instanceof WaybillError && !(error instanceof RegistryError);
    if (spoilt) this.#patience.note(`not used: ${error.message}`);
    else this.#patience.turnOff(messageOf(error));
  }

  /** Whether the registry has the image. */
  async has(record: ImageRecord): Promise<boolean> {
    if (this.#images.has(record.digest)) return true;
    for (const place of this.#access.read) {
      if (this.#patience.isOff) return false;
      try {
        const what = `${this.#client.registry}/${place.repository}`;
        const ask = (): Promise<boolean> => this.#patience.with(what, () => this.#confirm(place, record));
        if (await this.#reads.run(ask)) return true;
      } catch (error) {
        this.#readFailed(error);
      }
    }
    return false;
  }

  /** Brings the image into the store. @returns false where the registry hasn't all of it, or can't be asked */
  async fetch(record: ImageRecord): Promise<boolean> {
    for (const place of this.#access.read) {
      if (this.#patience.isOff) return false;
      try {
        const what = `${this.#client.registry}/${place.repository}`;
        const found = await this.#patience.with(what, async (progress) => {
          if (!(await this.#confirm(place, record))) return false;
          await fetchImage(this.#client, place.repository, record, this.#store, progress);
          return true;
        });
        if (found) return true;
      } catch (error) {
        this.#readFailed(error);
      }
    }
    return false;
  }

  async #confirm(place: Place, record: ImageRecord): Promise<boolean> {
    if (this.#images.get(record.digest) === place) return true;
    if (!(await hasImage(this.#client, place.repository, record))) return false;
    this.#images.set(record.digest, place);
    return true;
  }

  /** Stores a task's result, after whatever else is being stored. Returns at once; see `settled`. */
  put(hash: string, tarball: Buffer): void {
    void this.#writes.run(() => this.#put(hash, tarball));
  }

  /** Resolves when all is stored, or given up. */
  async settled(): Promise<void> {
    await this.#writes.empty();
  }

  async #put(hash: string, tarball: Buffer): Promise<void> {
    const place = this.#access.write;
    if (place === undefined || !this.writable || tarball.length > MAX_TARBALL_BYTES) return;
    try {
      const { record } = await readTarball(tarball);
      const known = await this.#describe(hash);
      const facts: EntryFacts = { ...known, hash, image: record?.digest, created: new Date().toISOString() };
      await this.#patience.with(`${this.#client.registry}/${place.repository}`, async (progress) => {
        if (record !== undefined && this.#images.get(record.digest) !== place) {
          const [trusted] = this.#access.read;
          const mountFrom = trusted === place ? undefined : trusted?.repository;
          await pushImage(this.#client, place.repository, record, this.#store, { mountFrom, progress });
          this.#images.set(record.digest, place);
        }
        await putEntry(this.#client, place, facts, tarball, { key: this.#key, replace: this.#spoilt.has(hash) });
      });
    } catch (error) {
      this.#writeFailed(error);
    }
  }

  #writeFailed(error: unknown): void {
    if (this.#patience.isOff) return;
    this.#writable = false;
    this.#patience.note(`nothing is stored in this run: ${messageOf(error)}`);
  }
}
