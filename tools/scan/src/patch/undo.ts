// What a patch has written, so that one that fails or is interrupted leaves the checkout as it was.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type Image, recordFile, recordOfImage, showLayout } from "@waybill/image";

export class Undo {
  readonly #texts = new Map<string, string | undefined>();
  readonly #images: Image[] = [];
  /** A second Ctrl-C ends this process where it stands: then files go back while it ends. */
  readonly #onExit = (): void => this.#files();

  constructor() {
    process.once("exit", this.#onExit);
  }

  /** Call before the file is written for the first time. */
  file(path: string): void {
    if (!this.#texts.has(path)) this.#texts.set(path, existsSync(path) ? readFileSync(path, "utf8") : undefined);
  }

  /** Call before the image is built: its record and its layout are of what was built last. */
  build(image: Image): void {
    this.file(recordFile(image));
    this.#images.push(image);
  }

  /** What was written stays. */
  keep(): void {
    process.off("exit", this.#onExit);
  }

  async everything(): Promise<void> {
    this.#files();
    this.keep();
    for (const image of this.#images)
      if (existsSync(recordFile(image))) await showLayout(image, await recordOfImage(image));
  }

  /** Each by a rename, as everywhere; without waiting for the disk, as a process that ends can't. */
  #files(): void {
    for (const [path, text] of this.#texts) {
      if (text === undefined) rmSync(path, { force: true });
      else if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
        writeFileSync(`${path}.undo.tmp`, text);
        renameSync(`${path}.undo.tmp`, path);
      }
    }
  }
}
