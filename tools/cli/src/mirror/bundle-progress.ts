// What making, proving and restoring a bundle show: on a terminal a line that says how far it is, elsewhere a line for each blob that
// takes a while.

import { formatBytes, shortDigest } from "@waybill/format";

const REDRAW_MS = 200;
/** Blobs below this many bytes are not worth a line. */
const WORTH_A_LINE = 1e6;

export class BundleProgress {
  readonly #what: string;
  readonly #total: number;
  readonly #quiet: boolean;
  readonly #began = Date.now();
  readonly #timer: NodeJS.Timeout | undefined;
  /** Bytes. */
  #done = 0;

  /** @param total bytes to expect @param quiet for what only machines read */
  constructor(what: string, total: number, quiet: boolean) {
    this.#what = what;
    this.#total = total;
    this.#quiet = quiet;
    if (!quiet && process.stderr.isTTY) this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
  }

  readonly onBytes = (count: number): void => {
    this.#done += count;
  };

  readonly onBlob = ({ digest, size }: { digest: string; size: number }, outcome = this.#what): void => {
    const shown = !this.#quiet && this.#timer === undefined && size >= WORTH_A_LINE && outcome !== "exists";
    if (shown) console.log(`  ${outcome} ${shortDigest(digest)}  ${formatBytes(size)}`);
  };

  end(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#clear();
  }

  #draw(): void {
    const rate = this.#done / Math.max(1, (Date.now() - this.#began) / 1000);
    const line = `${this.#what} ${formatBytes(this.#done)} of ${formatBytes(this.#total)}, ${formatBytes(rate)}/s`;
    process.stderr.write(`\r\u001B[K${line.slice(0, process.stderr.columns - 1)}`);
  }

  #clear(): void {
    process.stderr.write("\r\u001B[K");
  }
}
