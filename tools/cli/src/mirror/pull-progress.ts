// What a pull shows: a line for each image when it is here, and how far all of it is: on a terminal in one line that changes, in a log
// now and then.

import { formatBytes, shortDigest } from "@waybill/format";
import type { PullOptions, Pulled } from "@waybill/mirror/pull";

const REDRAW_MS = 200;
const LOG_MS = 30_000;

export class PullProgress {
  readonly listeners: Required<Pick<PullOptions, "onPlan" | "onBytes" | "onImage">>;
  readonly #all: number;
  readonly #live: boolean;
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
    this.#live = live;
    if (live) this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
    else if (!quiet) this.#timer = setInterval(() => console.log(`        ${this.#state()}`), LOG_MS);
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
    clearInterval(this.#timer);
    if (this.#live) this.#clear();
  }

  #state(): string {
    const rate = this.#come / Math.max(1, (Date.now() - this.#began) / 1000);
    const come = `${formatBytes(this.#come)} of ${formatBytes(this.#planned)}`;
    return `${this.#done} of ${this.#all} images; ${come}, ${formatBytes(rate)}/s`;
  }

  #draw(): void {
    process.stderr.write(`\r\u001B[K${this.#state().slice(0, (process.stderr.columns || 80) - 1)}`);
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
