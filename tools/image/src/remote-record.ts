// The record of an image that a registry has, made by anyone: its bytes come into the store, then it is told like one of ours.

import {
  type BlobStore,
  type Descriptor,
  type ImageRecord,
  WaybillError,
  formatPlatform,
  indexOf,
  parseDocument,
  parsePlatform,
  parseReference,
  readConfig,
  recordOf,
} from "@waybill/oci";
import { RegistryClient, pull } from "@waybill/oci/registry";

/**
 * @param text "ghcr.io/acme/api:1.4.2", "…@sha256:…"
 * @throws {WaybillError} the registry doesn't have it, or can't be asked
 */
export async function remoteRecord(store: BlobStore, text: string): Promise<ImageRecord> {
  const { registry, repository, tag, digest } = parseReference(text);
  const client = new RegistryClient(registry);
  const found = await client.headManifest(repository, digest ?? tag ?? "latest");
  if (found === undefined) throw new WaybillError("the registry has no such image", { where: text });
  const root = await pull(client, repository, found.digest, store);
  const index = await asIndex(store, root, text);
  return {
    ...(await recordOf(store, index.digest, { name: repository.split("/").at(-1) ?? text })),
    digest: root.digest,
  };
}

/** A single manifest is what an index of that one platform would be. */
async function asIndex(store: BlobStore, root: Descriptor, where: string): Promise<Descriptor> {
  const document = parseDocument(await store.read(root.digest), where);
  if (document.kind === "index") return root;
  const platform = parsePlatform(formatPlatform(await readConfig(store, document.manifest.config.digest)));
  return await indexOf(store, [{ ...root, platform }]);
}
