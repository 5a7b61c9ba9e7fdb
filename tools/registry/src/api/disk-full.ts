/** True for what the system says when no more can be written. */
export function isDiskFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT", "EROFS"].includes((error as NodeJS.ErrnoException | undefined)?.code ?? "");
}
