// Bytes to send: of a stored blob, or of one that is still coming. Read by position, from a file in both cases.

import type { FileHandle } from "node:fs/promises";
import type { Digest } from "@waybill/oci/digest";
import type { Vault } from "./store/vault.ts";

export interface Source {
  /** In bytes; undefined for a download whose upstream told nothing. */
  size: number | undefined;
  handle: FileHandle;
  /** Waits for bytes after `offset`; gives up to where the file may be read, and `offset` itself at the end. */
  until(offset: number): Promise<number>;
  close(): Promise<void>;
}

/** A blob of the store, verified; undefined where there is none. Close it. */
export async function storedSource(vault: Vault, digest: Digest): Promise<Source | undefined> {
  const blob = await vault.open(digest);
  return blob && { ...blob, until: () => Promise.resolve(blob.size) };
}
