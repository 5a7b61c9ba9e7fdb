// waybill mirror archive: images in one file, for a site without a network.

import {
  type ArchivePlan,
  type BundleLock,
  assertWritable,
  planArchive,
  readBaseline,
  totalSize,
  writeBundle,
} from "@waybill/bundle";
import { formatBytes, shortDigest } from "@waybill/format";
import { WaybillError } from "@waybill/oci";
import { type Command, type Values, list, text } from "../command.ts";
import { stopSignal } from "../stop.ts";
import { BundleProgress } from "./bundle-progress.ts";
import { sourcesOf } from "./bundle-sources.ts";
import { DIR } from "./folder.ts";
import { platformsOf, scannedIn } from "./pulling.ts";

export const command: Command = {
  summary: "images, each layer once, in one file for a site without a network",
  usage: "<image|list>… --out FILE.tar|FOLDER",
  options: {
    ...DIR,
    out: { type: "string" },
    platform: { type: "string", multiple: true },
    "all-platforms": { type: "boolean" },
    scan: { type: "string", multiple: true },
    baseline: { type: "string" },
    referrers: { type: "boolean" },
    from: { type: "string" },
    "plain-http": { type: "boolean" },
  },
  async run(names, values) {
    const out = text(values, "out");
    if (out === undefined) throw new WaybillError("say where the bundle goes", { mend: "--out FILE.tar, or a folder" });
    const folders = list(values, "scan");
    if (names.length + folders.length === 0)
      throw new WaybillError("say what to archive", { mend: "an image, a list, or --scan FOLDER" });
    await assertWritable(out);
    const signal = stopSignal();
    const plan = await planOf(names, folders, values, signal);
    const quiet = values["json"] === true;
    const progress = new BundleProgress("archived", totalSize(plan.blobs), quiet);
    const { onBytes, onBlob } = progress;
    await writeBundle(out, plan, { signal, onBytes, onBlob: (blob) => onBlob(blob) }).finally(() => progress.end());
    if (quiet)
      console.log(JSON.stringify({ schemaVersion: 1, out, size: totalSize(plan.blobs), ...imagesOf(plan.lock) }));
    else console.log(describe(out, plan));
    return 0;
  },
};

async function planOf(
  names: readonly string[],
  folders: readonly string[],
  values: Values,
  signal: AbortSignal,
): Promise<ArchivePlan> {
  const path = text(values, "baseline");
  const baseline = path === undefined ? undefined : await readBaseline(path);
  const chosen = platformsOf(values);
  const sources = await sourcesOf(names, await scannedIn(folders), values, signal);
  const wanted = sources.map(({ source, platforms }) => ({
    source,
    platforms: chosen === "all" ? undefined : (platforms ?? chosen),
  }));
  return await planArchive(wanted, { referrers: values["referrers"] === true, baseline });
}

const imagesOf = ({ baseline, images }: BundleLock): object => ({ ...(baseline && { baseline }), images });

function describe(out: string, { lock, blobs }: ArchivePlan): string {
  const lines = lock.images.map(({ reference, digest, platforms, absent = [], referrers = [] }) => {
    const held = platforms.map(({ platform }) => platform).join(", ") || "no platform";
    const left = absent.length === 0 ? "" : ` of ${platforms.length + absent.length}`;
    const about = referrers.length === 0 ? "" : `, ${referrers.length} referrers`;
    return `${reference}  ${shortDigest(digest)}  ${held}${left}${about}`;
  });
  const left = lock.blobs.filter(({ baseline }) => baseline !== undefined);
  const delta = left.length === 0 ? "" : `; ${left.length} blobs, ${formatBytes(totalSize(left))}, are its baseline's`;
  const what = `${lock.images.length} images, ${blobs.length} blobs, ${formatBytes(totalSize(blobs))}`;
  return [...lines, `${out}: ${what}${delta}`].join("\n");
}
