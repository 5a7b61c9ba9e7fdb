// The cache's disk is the user's to mend: full, read-only or not theirs. Told as such, and not taken for a fault of the network.

import { WaybillError } from "@waybill/oci";

const REASONS: Record<string, string> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the disk is read-only",
  EACCES: "no permission to write",
  EPERM: "no permission to write",
  ENOTDIR: "a part of the path is not a folder",
};

/** True for failures that trying again won't mend. */
export function isDiskError(error: unknown): boolean {
  return reasonOf(error) !== undefined;
}

/** Runs `work`, which writes below `cacheDir`, and gives its disk failures a mend. */
export async function onDisk<T>(cacheDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    const mend = "make room or rights there, or name another folder in WAYBILL_CACHE";
    throw new WaybillError(`the download cache can't be written, ${reason}`, { where: cacheDir, mend, cause: error });
  }
}

function reasonOf(error: unknown): string | undefined {
  // Only failures of file operations: a connection can be refused with EACCES as well.
  const { code = "", syscall = "" } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  return ["connect", "getaddrinfo"].includes(syscall) ? undefined : REASONS[code];
}
