// OCI as Waybill speaks it: references, digests, manifests, layouts, the record of an image, registries. Knows of no engine,
// no Nx and no command line.

export * from "./atomic.ts";
export * from "./blobstore.ts";
export * from "./canonical.ts";
export * from "./config.ts";
export * from "./descriptor.ts";
export * from "./digest.ts";
export * from "./document.ts";
export * from "./error.ts";
export * from "./imageindex.ts";
export * from "./indexof.ts";
export * from "./layer.ts";
export * from "./layout.ts";
export * from "./manifest.ts";
export * from "./mediatype.ts";
export * from "./platform.ts";
export * from "./record.ts";
export * from "./recordof.ts";
export * from "./reference.ts";
export { run } from "./run.ts";
export type { RunOptions, RunResult } from "./run.ts";
export * from "./tree.ts";
export * from "./unpacked.ts";
export { mapLimit } from "./parallel.ts";
export { RegistryClient } from "./registry/client.ts";
export type { FetchedManifest, RegistryOptions } from "./registry/client.ts";
export type { BlobSource, PushOutcome } from "./registry/blobs.ts";
export { closureOf, readerOf } from "./registry/closure.ts";
export type { Closure, DocumentReader } from "./registry/closure.ts";
export { anonymous, credentialSource } from "./registry/credentials.ts";
export type { Credentials, CredentialSource } from "./registry/credentials.ts";
export { redactUrl, RegistryError } from "./registry/error.ts";
export { pull } from "./registry/pull.ts";
export type { PullOptions } from "./registry/pull.ts";
export { carryOut, isVersion, planPush } from "./registry/push.ts";
export type { CarryOutOptions, PushPlan, PushProgress, TagPlan } from "./registry/push.ts";
