// The bundle that a delta is made to: all of it, or its lock alone, which is what stays behind when the bundle has gone.

import { readFile, stat } from "node:fs/promises";
import { WaybillError, digestOf } from "@waybill/oci";
import type { Baseline } from "../archive/plan.ts";
import { parseLock } from "../lock.ts";
import { openBundle } from "./open.ts";

/** @param path of a bundle, or of a lock @throws {WaybillError} it is neither */
export async function readBaseline(path: string): Promise<Baseline> {
  const stats = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new WaybillError(`there is no such baseline (${cause.code})`, { where: path, cause });
  });
  if (stats.isFile() && path.endsWith(".json")) {
    const text = await readFile(path);
    return { lock: parseLock(text, path), digest: digestOf(text) };
  }
  const bundle = await openBundle(path);
  try {
    return { lock: bundle.lock, digest: bundle.lockDigest };
  } finally {
    await bundle.close();
  }
}
