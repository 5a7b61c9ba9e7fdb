// backend.json in the mirror's folder: which registry serves the mirror where it isn't Waybill's own.

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { WaybillError, check, isRegistry, parseJson, writeFileAtomic } from "@waybill/oci";

const address = z.url({ protocol: /^https?$/ });

const schema = z.strictObject({
  backend: z.enum(["distribution", "zot", "harbor"]),
  /** Where it answers, and takes what is pushed. */
  url: address,
  /** Where it keeps blobs: a folder of its machine, or s3://bucket/path?region=…&endpoint=…&redirect=off; Harbor knows by itself. */
  storage: z.string().optional(),
  upstreams: z.record(
    z.string().refine(isRegistry, "that is no registry"),
    z.strictObject({
      /** Where the upstream answers, if not at https:// and its name. */
      url: address.optional(),
      /** Where its images are asked for: Distribution has a process for each upstream. */
      at: address.optional(),
    }),
  ),
});
export type BackendSettings = z.output<typeof schema>;

const fileIn = (folder: string): string => join(folder, "backend.json");

/** @returns undefined where the mirror is Waybill's own @throws {WaybillError} what is wrong in it, all at once */
export async function readSettings(folder: string): Promise<BackendSettings | undefined> {
  const file = fileIn(folder);
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw new WaybillError(`the mirror's settings can't be read (${cause.code})`, { where: file, cause });
  });
  return text === undefined ? undefined : check(schema, parseJson(text, file), file);
}

/** @throws {WaybillError} what is wrong, all at once */
export const checkSettings = (folder: string, settings: unknown): BackendSettings =>
  check(schema, settings, fileIn(folder));

export async function writeSettings(folder: string, settings: BackendSettings): Promise<void> {
  await writeFileAtomic(fileIn(folder), `${JSON.stringify(settings, undefined, 2)}\n`);
}

/** From then on, the mirror is Waybill's own again. */
export const forgetSettings = (folder: string): Promise<void> => rm(fileIn(folder), { force: true });
