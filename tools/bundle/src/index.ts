// Bundles: images in one OCI layout for sites without a network. Made of any source, proven on arrival, restored into any registry.

export { type ArchivePlan, type Baseline, type Wanted, planArchive } from "./archive/plan.ts";
export { type ImageSource, fromRegistry, fromStore } from "./archive/source.ts";
export { assertWritable, writeBundle } from "./archive/write.ts";
export { type BundleLock, parseLock, totalSize } from "./lock.ts";
export { readBaseline } from "./read/baseline.ts";
export { type Bundle, openBundle, sizeOfBundle } from "./read/open.ts";
export { assertSound, findDamage, readImages } from "./read/verify.ts";
export { type Destination, toRegistry } from "./restore/destination.ts";
export { type ImagePlan, type OnConflict, type RestorePlan, assertPossible, planRestore } from "./restore/plan.ts";
export { bytesToSend, restore } from "./restore/restore.ts";
