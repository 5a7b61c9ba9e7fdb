// The pinned upstream repository alone, for readers that can't wait: Nx asks for the edges of every image at each start.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "../document.ts";
import { LOCK_FILE, imageLock } from "../schema.ts";
import type { LockedSource } from "../schema.ts";

/** @throws {WaybillError} the lock breaks its schema */
export function readLockedSource(imageFolder: string): LockedSource | undefined {
  const file = join(imageFolder, LOCK_FILE);
  return existsSync(file) ? parseDocument(readFileSync(file, "utf8"), imageLock, file).source : undefined;
}
