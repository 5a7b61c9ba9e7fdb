// nx reproduce: builds the image again from nothing that was cached, and compares digests. As a gate on main: a sample of all images.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { type Image, buildImage, findImage, findImages, recordFile, recordOfImage, store } from "@waybill/image";
import { differencesOf } from "@waybill/image/differences";
import { bringBytes } from "@waybill/image/fetch-bytes";
import { WaybillError, run } from "@waybill/oci";
import { type Command, only, text } from "../command.ts";
import { BuildProgress } from "../progress.ts";
import { stopSignal } from "../stop.ts";

export const command: Command = {
  summary: "builds an image again without caches and confirms its digest",
  usage: "<image> | --sample N",
  options: { sample: { type: "string" }, seed: { type: "string" } },
  async run(positionals, values) {
    const sample = text(values, "sample");
    const images =
      sample === undefined
        ? [await findImage(only(positionals, "image"))]
        : await sampleOf(count(sample), text(values, "seed") ?? (await commit()));
    const signal = stopSignal();
    let failed = false;
    for (const image of images) {
      const lines = await reproduce(image, values["verbose"] === true, signal);
      for (const line of lines) console.log(`${image.name}: ${line}`);
      if (lines.length === 0) console.log(`${image.name}: ${(await recordOfImage(image)).digest} confirmed`);
      failed ||= lines.length > 0;
    }
    return failed ? 1 : 0;
  },
};

/** What differs, a line each; empty where nothing does. */
async function reproduce(image: Image, verbose: boolean, signal: AbortSignal): Promise<string[]> {
  const record = await recordOfImage(image);
  const { onLine } = new BuildProgress(verbose);
  const platforms = record.platforms.map(({ platform }) => platform);
  const variants = Object.keys(record.variants);
  const again = await buildImage(image, { noCache: true, keepRecord: true, platforms, variants, onLine, signal });
  // To tell the files: a record from a cache may have its bytes in the registry alone.
  if (again.digest !== record.digest) await bringBytes(image, record);
  return await differencesOf(store(), record, again);
}

/** As many of the images that have a record; the same for the same seed, so that a failure can be looked into. */
async function sampleOf(size: number, seed: string): Promise<Image[]> {
  const built = [...(await findImages()).values()].filter((image) => existsSync(recordFile(image)));
  if (built.length === 0) throw new WaybillError("no image was built", { mend: "./nx run-many -t docker-build" });
  const lot = ({ name }: Image): string => createHash("sha256").update(`${seed} ${name}`).digest("hex");
  return built.sort((a, b) => (lot(a) < lot(b) ? -1 : 1)).slice(0, size);
}

async function commit(): Promise<string> {
  const { stdout } = await run("git", ["rev-parse", "HEAD"], { check: true });
  return stdout.trim();
}

function count(written: string): number {
  if (/^[1-9]\d*$/.test(written)) return Number(written);
  throw new WaybillError(`--sample ${written} is no number of images`);
}
