// What a pull shows: a line for each image when it is here, and on a terminal one more that says how far it is.

import { formatBytes, shortDigest } from "@waybill/format";
import type { PullOptions, Pulled } from "@waybill/mirror/pull";

const REDRAW_MS = 200;

export class PullProgress {
  readonly listeners: Required<Pick<PullOptions, "onPlan" | "onBytes" | "onImage">>;
  readonly #all: number;
  readonly #began = Date.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #done = 0;
  /** Bytes. */
  #come = 0;
  #planned = 0;

  /** @param quiet for what only machines read */
  constructor(all: number, quiet: boolean) {
    this.#all = all;
    const live = !quiet && process.stderr.isTTY;
    if (live) this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
    this.listeners = {
      onBytes: (count) => void (this.#come += count),
      onPlan: (image, { blobs, size }) => {
        this.#planned += size;
        if (!quiet && !live) console.log(`        ${image}: ${blobs} blobs, ${formatBytes(size)}`);
      },
      onImage: (pulled) => {
        this.#done++;
        if (live) this.#clear();
        if (!quiet) console.log(describe(pulled));
      },
    };
  }

  end(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#clear();
  }

  #draw(): void {
    const rate = this.#come / Math.max(1, (Date.now() - this.#began) / 1000);
    const line = `${this.#done} of ${this.#all}: ${formatBytes(this.#come)} of ${formatBytes(this.#planned)}, ${formatBytes(rate)}/s`;
    process.stderr.write(`\r\u001B[K${line.slice(0, (process.stderr.columns || 80) - 1)}`);
  }

  #clear(): void {
    process.stderr.write("\r\u001B[K");
  }
}

/** One image's line. */
function describe({ image, status, digest, before, stale, moved }: Pulled): string {
  const to =
    digest === undefined ? "" : `  ${before === undefined ? "" : `${shortDigest(before)} -> `}${shortDigest(digest)}`;
  const size = moved > 0 ? `  ${formatBytes(moved)}` : "";
  return `${status.padEnd(6)}  ${image}${to}${size}${stale ? "  (its upstream can't be asked)" : ""}`;
}
