// What a patch has written, so that one that fails or is interrupted leaves the checkout as it was.

import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { type Image, recordFile, recordOfImage, showLayout } from "@waybill/image";
import { writeFileAtomic } from "@waybill/oci";

export class Undo {
  readonly #texts = new Map<string, string | undefined>();
  readonly #images: Image[] = [];

  /** Call before the file is written for the first time. */
  async file(path: string): Promise<void> {
    if (!this.#texts.has(path)) this.#texts.set(path, existsSync(path) ? await readFile(path, "utf8") : undefined);
  }

  /** Call before the image is built: its record and its layout are of what was built last. */
  async build(image: Image): Promise<void> {
    await this.file(recordFile(image));
    this.#images.push(image);
  }

  async everything(): Promise<void> {
    for (const [path, text] of this.#texts) {
      if (text === undefined) await rm(path, { force: true });
      else if ((await readFile(path, "utf8").catch(() => undefined)) !== text) await writeFileAtomic(path, text);
    }
    for (const image of this.#images)
      if (existsSync(recordFile(image))) await showLayout(image, await recordOfImage(image));
  }
}
