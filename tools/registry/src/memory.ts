// Keeps memory flat while bytes pour through. Node puts what a socket brings into memory beside V8's heap, where 64 KB count as the few
// bytes that name them: V8 would look for garbage after a hundred megabytes. So it is told when to look.

/** In bytes. A look at the young objects takes about a millisecond. */
const LOOK_EVERY = 8 * 1024 * 1024;
let since = 0;

type Collect = (options: { type: "minor" }) => void;

/** Tells that so many bytes came in. Without `--expose-gc` (server-process.ts) it does nothing. */
export function cameIn(bytes: number): void {
  since += bytes;
  if (since < LOOK_EVERY) return;
  since = 0;
  (globalThis as { gc?: Collect }).gc?.({ type: "minor" });
}
