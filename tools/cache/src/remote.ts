// The remote cache as one process sees it: what there is, what to store, and what is known to exist. Nothing in here fails: what goes
// wrong is a miss, and is told once.

import type { KeyObject } from "node:crypto";
import type { BlobStore, Digest, ImageRecord } from "@waybill/oci";
import { WaybillError, messageOf } from "@waybill/oci/error";
import { RegistryClient, RegistryError } from "@waybill/oci/registry";
import { getEntry, putEntry } from "./entries.ts";
import type { EntryFacts } from "./entry.ts";
import { fetchImage, hasImage, pushImage } from "./images.ts";
import { Lane } from "./lane.ts";
import { Patience, type Progress } from "./patience.ts";
import type { CacheSettings } from "./settings.ts";
import { publicKey } from "./signature.ts";
import { readTarball } from "./tarball.ts";
import type { Access, Place } from "./trust.ts";

/** Requests under way at a time: a fleet is asked for at once. */
const PARALLEL = 16;
/** One more try for a connection that broke; a cache isn't worth more. */
const RETRY = { attempts: 2, pauseMs: 50, maxPauseMs: 200 };

/** What a run knows of a task beside its hash. */
export type Describe = (hash: string) => Promise<Pick<EntryFacts, "project" | "target" | "revision">>;

export interface RemoteOptions {
  /** Annotates entries. */
  describe?: Describe;
  /** Signs entries. */
  key?: KeyObject | undefined;
}

export class Remote {
  readonly #access: Access;
  readonly #store: BlobStore;
  readonly #describe: Describe;
  readonly #patience = new Patience();
  /** Asks short questions, many at a time. */
  readonly #client: RegistryClient;
  readonly #reads = new Lane(PARALLEL);
  /** Moves images, one after the other: what they share is sent once. */
  readonly #mover: RegistryClient;
  readonly #moves = new Lane(1);
  #progress: Progress = () => {};
  readonly #publicKeys: readonly KeyObject[];
  readonly #key: KeyObject | undefined;
  /** Images that were seen in the registry, and where. */
  readonly #images = new Map<Digest, Place>();
  /** Hashes whose entry is there and can't be used. */
  readonly #spoilt = new Set<string>();
  /** Where we may read, as far as is known. */
  #readable: readonly Place[];
  #writable: boolean;

  /** @throws {WaybillError} a public key is none */
  constructor(settings: CacheSettings, access: Access, store: BlobStore, { describe, key }: RemoteOptions = {}) {
    const { registry, plainHttp, publicKeys } = settings;
    const options = { plainHttp, retry: RETRY, signal: this.#patience.signal };
    this.#client = new RegistryClient(registry, options);
    this.#mover = new RegistryClient(registry, { ...options, onAnswer: () => this.#progress() });
    this.#access = access;
    this.#readable = access.read;
    this.#store = store;
    this.#describe = describe ?? (async () => ({}));
    this.#publicKeys = publicKeys.map(publicKey);
    this.#key = key;
    // Where only signed entries count, writing others is idle.
    this.#writable = access.write !== undefined && (publicKeys.length === 0 || key !== undefined);
  }

  /** What went wrong first, as one line. */
  get fault(): string | undefined {
    return this.#patience.fault;
  }

  /** Given up: there is nothing more to hope for from this object. */
  get isOff(): boolean {
    return this.#patience.isOff;
  }

  /** Calls back when the cache is given up. */
  onOff(action: () => void): void {
    this.#patience.signal.addEventListener("abort", action, { once: true });
  }

  /** False where storing anything is known to be refused. */
  get writable(): boolean {
    return this.#writable && !this.isOff;
  }

  /** The tarball of a task whose result can be used: that of an image, only where the image is there. */
  async get(hash: string): Promise<Buffer | undefined> {
    return await this.#first(async (place, progress) => {
      const found = await getEntry(this.#client, place, hash, this.#publicKeys).catch((error: unknown) => {
        this.#spoilt.add(hash);
        throw error;
      });
      progress();
      if (found?.record === undefined || (await this.#confirm(place, found.record))) return found?.tarball;
      this.#spoilt.add(hash);
      return undefined;
    });
  }

  /** Whether the registry has the image. */
  async has(record: ImageRecord): Promise<boolean> {
    if (this.#images.has(record.digest)) return true;
    return (await this.#first(async (place) => (await this.#confirm(place, record)) || undefined)) ?? false;
  }

  /** Brings the image into the store. @returns false where the registry hasn't all of it, or can't be asked */
  async fetch(record: ImageRecord): Promise<boolean> {
    const found = await this.#first(async (place, progress) => {
      if (!(await this.#confirm(place, record))) return undefined;
      this.#progress = progress;
      await fetchImage(this.#mover, place.repository, record, this.#store, progress);
      return true;
    });
    return found ?? false;
  }

  /** Asks one place after the other, for the first answer. */
  async #first<T>(ask: (place: Place, progress: Progress) => Promise<T | undefined>): Promise<T | undefined> {
    for (const place of this.#readable) {
      if (this.isOff) return undefined;
      try {
        const asking = (): Promise<T | undefined> => this.#patience.with(this.#nameOf(place), (go) => ask(place, go));
        const answer = await this.#reads.run(asking);
        if (answer !== undefined) return answer;
      } catch (error) {
        this.#readFailed(place, error);
      }
    }
    return undefined;
  }

  /** A registry that is unwell is left alone; an entry that is no good is passed over. */
  #readFailed(place: Place, error: unknown): void {
    if (this.isOff) return;
    const status = error instanceof RegistryError ? error.status : undefined;
    const isOwn = place !== this.#access.read[0];
    // Some registries say "forbidden" for what isn't there yet.
    if (isOwn && (status === 401 || status === 403)) this.#readable = this.#readable.filter((each) => each !== place);
    else if (isSpoilt(error)) this.#patience.note(`not used: ${messageOf(error)}`);
    else this.#patience.turnOff(messageOf(error));
  }

  async #confirm(place: Place, record: ImageRecord): Promise<boolean> {
    if (this.#images.get(record.digest) === place) return true;
    if (!(await hasImage(this.#client, place.repository, record))) return false;
    this.#images.set(record.digest, place);
    return true;
  }

  /** Stores a task's result, after whatever else is being stored. Returns at once; see `settled`. */
  put(hash: string, tarball: Buffer): void {
    void this.#moves.run(() => this.#put(hash, tarball));
  }

  /** Resolves when all is stored, or given up. */
  async settled(): Promise<void> {
    await this.#moves.empty();
  }

  async #put(hash: string, tarball: Buffer): Promise<void> {
    const place = this.#access.write;
    if (place === undefined || !this.writable) return;
    try {
      const { record } = await readTarball(tarball);
      const facts = {
        ...(await this.#describe(hash)),
        hash,
        image: record?.digest,
        created: new Date().toISOString(),
      };
      await this.#patience.with(this.#nameOf(place), async (progress) => {
        this.#progress = progress;
        if (record !== undefined) await this.#putImage(place, record, progress);
        const options = { key: this.#key, replace: this.#spoilt.has(hash) };
        await putEntry(this.#mover, place, facts, tarball, options);
      });
    } catch (error) {
      if (this.isOff) return;
      this.#writable = false;
      this.#patience.note(`nothing is stored in this run: ${messageOf(error)}`);
    }
  }

  async #putImage(place: Place, record: ImageRecord, progress: Progress): Promise<void> {
    if (this.#images.get(record.digest) === place) return;
    const [trusted] = this.#access.read;
    const mountFrom = trusted === place ? undefined : trusted?.repository;
    await pushImage(this.#mover, place.repository, record, this.#store, { mountFrom, progress });
    this.#images.set(record.digest, place);
  }

  #nameOf({ repository }: Place): string {
    return `${this.#client.registry}/${repository}`;
  }
}

/** The registry answered well, with something that is no good. */
function isSpoilt(error: unknown): boolean {
  if (error instanceof RegistryError) return error.status === 404;
  return error instanceof WaybillError;
}
