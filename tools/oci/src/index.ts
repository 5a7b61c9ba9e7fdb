// OCI as Waybill speaks it: references, digests, manifests, layouts, the record of an image, registries. Knows of no engine,
// no Nx and no command line.

export * from "./atomic.ts";
export * from "./error.ts";
export { run } from "./run.ts";
export type { RunOptions, RunResult } from "./run.ts";
