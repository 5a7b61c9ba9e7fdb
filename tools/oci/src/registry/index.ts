// The client's side of the OCI distribution spec. Apart from the rest, which most commands need without it.

export { RegistryClient } from "./client.ts";
export type { FetchedManifest, RegistryOptions } from "./client.ts";
export type { BlobSource, PushOutcome } from "./blobs.ts";
export type { OpenedBlob } from "./download.ts";
export type { Chunk } from "./slab.ts";
export { closureOf, readerOf } from "./closure.ts";
export type { Closure, DocumentReader } from "./closure.ts";
export { anonymous, credentialSource } from "./credentials.ts";
export type { Credentials, CredentialSource } from "./credentials.ts";
export { redactUrl, RegistryError } from "./error.ts";
export { pull } from "./pull.ts";
export type { PullOptions } from "./pull.ts";
export { carryOut } from "./push.ts";
export type { CarryOutOptions, PushProgress } from "./push.ts";
export { isVersion, planPush } from "./pushplan.ts";
export type { PushPlan, TagPlan } from "./pushplan.ts";
export { IDLE_MS, sendOver } from "./send.ts";
export type { Send } from "./send.ts";
