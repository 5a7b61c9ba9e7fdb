// The registry's folder as a whole: blobs once, repositories by name, uploads under way.

import type { Dirent } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "@waybill/oci/atomic";
import { formatName } from "../name.ts";
import type { Name } from "../name.ts";
import { Repository } from "./repository.ts";
import { Uploads } from "./uploads.ts";
import { UsedTimes } from "./used.ts";
import { Vault } from "./vault.ts";
import type { VaultEvents } from "./vault.ts";

/** The folder of what is pushed here; hosts, the other folders' names, have a dot or a port, or are "localhost". */
const PUSHED = "pushed";

export interface Held {
  name: Name;
  repository: Repository;
}

export class Store {
  readonly folder: string;
  readonly vault: Vault;
  readonly uploads: Uploads;
  readonly #used = new UsedTimes();

  constructor(folder: string, graceMs: number, events: VaultEvents) {
    this.folder = folder;
    this.vault = new Vault(folder, graceMs, events);
    this.uploads = new Uploads(join(folder, "uploads"), this.vault);
  }

  async prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await this.vault.prepare();
    await this.uploads.prepare();
    // blobs/ is an OCI layout's: other programs may read it so.
    await writeFileAtomic(join(this.folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  }

  repository({ upstream, repository, lasting = upstream === undefined }: Name): Repository {
    const root = upstream === undefined ? PUSHED : upstream.replace(":", "+");
    return new Repository(join(this.folder, "repositories", root, repository), this.#used, lasting);
  }

  /** Every repository that holds something, in the order of their names. */
  async *repositories(): AsyncGenerator<Held> {
    for (const root of await foldersOf(join(this.folder, "repositories"))) {
      const upstream = root === PUSHED ? {} : { upstream: root.replace("+", ":") };
      for await (const repository of this.#below(join(this.folder, "repositories", root), "")) {
        const name: Name = { ...upstream, repository };
        yield { name, repository: this.repository(name) };
      }
    }
  }

  async names(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of this.repositories()) names.push(formatName(name));
    return names.sort();
  }

  async *#below(root: string, path: string): AsyncGenerator<string> {
    const folders = await foldersOf(join(root, path));
    if (folders.includes("_manifests") || folders.includes("_blobs")) yield path;
    for (const folder of folders)
      if (!folder.startsWith("_")) yield* this.#below(root, path === "" ? folder : `${path}/${folder}`);
  }
}

async function foldersOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException): Dirent[] => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
