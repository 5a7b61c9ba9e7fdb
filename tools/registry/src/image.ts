// A manifest as it is served.

import type { Digest } from "@waybill/oci/digest";
import type { Repository } from "./store/repository.ts";
import type { Store } from "./store/store.ts";

export interface HeldImage {
  digest: Digest;
  mediaType: string;
  bytes: Buffer;
  /** "hit": all of it was here and fresh. "stale": its upstream can't be asked. */
  from: "hit" | "revalidated" | "miss" | "stale";
}

/** A manifest that is here and sound; notes that it was used. */
export async function heldImage(store: Store, repository: Repository, digest: Digest): Promise<HeldImage | undefined> {
  const record = await repository.manifest(digest);
  if (record === undefined) return undefined;
  const bytes = await store.vault.read(digest);
  if (bytes === undefined) return undefined;
  await repository.use(digest);
  return { digest, mediaType: record.mediaType, bytes, from: "hit" };
}
