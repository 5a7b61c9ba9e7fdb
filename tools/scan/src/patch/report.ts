// What is told of a patched image.

import type { ImagePatch } from "./patch.ts";
import type { PatchPush } from "./push.ts";

export interface PatchReport extends ImagePatch {
  /** Of the image's package.json. */
  version: string;
  dryRun: boolean;
  /** Absent where pushing was not asked for, or there was nothing to push. */
  push?: PatchPush;
}
