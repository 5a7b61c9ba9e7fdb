// waybill explain <image>: why it would be rebuilt.

import { existsSync, statSync } from "node:fs";
import {
  type Image,
  findImage,
  inputsOf,
  readableImages,
  recordOfImage,
  rememberedInputs,
  workspaceRoot,
} from "@waybill/image";
import { withCheckout } from "@waybill/image/checkout-at";
import { declaredInputs } from "@waybill/image/inputs";
import { type ImageRecord, WaybillError, readRecord } from "@waybill/oci";
import { type Command, only, text } from "../command.ts";
import { type Reason, basesIn, describe, differences } from "../reasons.ts";

export const command: Command = {
  summary: "tells why an image would be rebuilt: the file that changed, or the base",
  usage: "<image>",
  options: { from: { type: "string" } },
  async run(positionals, values) {
    const image = await findImage(only(positionals, "image"));
    const from = text(values, "from");
    const reasons = from === undefined ? await sinceBuilt(image) : await since(image, from);
    if (values["json"] === true) console.log(JSON.stringify(reasons));
    else if (reasons.length > 0)
      console.log([`${image.name} would be rebuilt:`, ...describe(reasons, "  ")].join("\n"));
    else console.log(`${image.name}: nothing changed since ${from ?? "it was built"}, it is a hit`);
    return 0;
  },
};

async function since(image: Image, from: string): Promise<Reason[]> {
  const isRecord = existsSync(from) && statSync(from).isFile();
  if (isRecord) return await sinceRecord(image, await readRecord(from));
  return await withCheckout(from, (then) => sinceCheckout(image.name, then, workspaceRoot()));
}

async function sinceBuilt(image: Image): Promise<Reason[]> {
  const reasons = await sinceRemembered(image, await recordOfImage(image));
  if (reasons !== undefined) return [...reasons, ...(await restlessBases(image))];
  throw new WaybillError(`${image.name} was not built on this machine, so there is nothing to compare with`, {
    mend: `\`npx waybill explain ${image.name} --from <commit>\` compares with a commit`,
  });
}

/** Undefined where the record was made elsewhere. */
async function sinceRemembered(image: Image, record: ImageRecord): Promise<Reason[] | undefined> {
  const remembered = await rememberedInputs(record);
  const after = await inputsOf(image);
  // The nearest of what gave this record, as any of them is a hit.
  return remembered
    .map((before) => differences(before, after))
    .toSorted((one, other) => one.length - other.length)
    .at(0);
}

/** Of a record that was made elsewhere its bases are known, and what it was built for; its files are not. */
async function sinceRecord(image: Image, record: ImageRecord): Promise<Reason[]> {
  if (record.name !== image.name) throw new WaybillError(`the record is of ${record.name}, not of ${image.name}`);
  const remembered = await sinceRemembered(image, record);
  if (remembered !== undefined) return remembered;
  const now = await inputsOf(image);
  const told = Object.fromEntries([
    ...record.bases.map(({ reference, digest }) => [reference, digest]),
    ...Object.entries(record.buildArgs).map(([name, value]) => [`build arg ${name}`, value]),
    ["the platforms", record.platforms.map(({ platform }) => platform).join(", ")],
  ]) as Record<string, string>;
  const known = Object.fromEntries(
    Object.entries(now).filter(([name]) => name in told || name.startsWith("build arg ") || name === "the platforms"),
  );
  const reasons = differences(told, known);
  if (reasons.length > 0 || (await recordOfImage(image)).digest === record.digest) return reasons;
  throw new WaybillError(`the record was made elsewhere, of the same bases and build args: its files are not known`, {
    mend: `\`npx waybill explain ${image.name} --from <commit>\` compares files with those of a commit`,
  });
}

/** Compares what two checkouts declare; of bases, theirs in turn. */
async function sinceCheckout(name: string, then: string, now: string): Promise<Reason[]> {
  const [old, image] = [await imageAt(name, then), await findImage(name, now)];
  if (old === undefined) return [{ input: "the image", change: "added" }];
  const [before, after] = [await declaredInputs(old, then), await declaredInputs(image, now)];
  const reasons = differences(before, after);
  for (const base of basesIn(after).filter((each) => each.input in before)) {
    const because = await sinceCheckout(base.name, then, now);
    if (because.length > 0) reasons.push({ input: base.input, change: "would be rebuilt", because });
  }
  return reasons;
}

async function imageAt(name: string, root: string): Promise<Image | undefined> {
  if (!existsSync(`${root}/images`)) return undefined;
  return (await readableImages(root)).get(name);
}

/** Bases whose own inputs have changed: the image follows if their digest does. */
async function restlessBases(image: Image): Promise<Reason[]> {
  const reasons: Reason[] = [];
  for (const { input, name } of basesIn(await inputsOf(image))) {
    const base = await findImage(name);
    const own = await sinceRemembered(base, await recordOfImage(base));
    if (own === undefined) continue;
    const because = [...own, ...(await restlessBases(base))];
    if (because.length > 0) reasons.push({ input, change: "would be rebuilt", because });
  }
  return reasons;
}
