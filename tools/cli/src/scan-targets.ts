// The images that a scan is about: those of this repo with what their teams ignore, or any that a registry has.

import { type Image, ensureBytes, findImages, readableImages, recordOfImage } from "@waybill/image";
import { SCOPE } from "@waybill/image/image";
import type { ImageRecord } from "@waybill/oci";
import { type Ignored, type ScanTarget, readIgnored } from "@waybill/scan";
import { diffSide } from "./diff-side.ts";

/** @throws {WaybillError} one was never built, can't be had, or is unknown */
export async function scanTargets(names: readonly string[]): Promise<ScanTarget[]> {
  const targets: ScanTarget[] = [];
  for (const name of names) {
    const image = (await readableImages()).get(name);
    targets.push(image === undefined ? await elsewhere(name) : await targetOf(image));
  }
  return targets;
}

/** Every image that was built. Those that only tests run are no releases, but they are run too. */
export const allNames = async (): Promise<string[]> => [...(await findImages()).keys()].sort();

export async function targetOf(image: Image): Promise<ScanTarget> {
  const record = await recordOfImage(image);
  await ensureBytes(image, record);
  return { record, own: await readIgnored(image.folder), inherited: await inheritedBy(record) };
}

async function elsewhere(name: string): Promise<ScanTarget> {
  const [record] = (await diffSide(name)).records.values();
  return { record: record as ImageRecord, own: [], inherited: [] };
}

/** What was decided for a base holds for all that stands on it. */
async function inheritedBy({ bases }: ImageRecord): Promise<Ignored[]> {
  const images = await readableImages();
  const found: Ignored[] = [];
  for (const { reference } of bases) {
    const base = reference.startsWith(SCOPE) ? images.get(reference.slice(SCOPE.length)) : undefined;
    if (base === undefined) continue;
    found.push(...(await readIgnored(base.folder)), ...(await inheritedBy(await recordOfImage(base))));
  }
  return found;
}
