// OCI as Waybill speaks it: references, digests, manifests, layouts, the record of an image. Registries are @waybill/oci/registry.
// Knows of no engine, no Nx and no command line.

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
export * from "./layer-diff.ts";
export * from "./layout.ts";
export * from "./manifest.ts";
export * from "./mediatype.ts";
export * from "./mirrored.ts";
export * from "./normalise.ts";
export type { LayerCompression } from "./pack.ts";
export * from "./platform.ts";
export * from "./record.ts";
export * from "./recordof.ts";
export * from "./reference.ts";
export { run } from "./run.ts";
export type { RunOptions, RunResult } from "./run.ts";
export * from "./tree.ts";
export * from "./unpacked.ts";
export { mapLimit } from "./parallel.ts";
