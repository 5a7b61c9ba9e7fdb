// What differs between an image as its record tells it and the same image built again: layer by layer, and file by file where the
// bytes of both are at hand.

import {
  type BlobStore,
  type EntryChange,
  type ImageRecord,
  type LayerRecord,
  type PlatformRecord,
  WaybillError,
  diffLayer,
  readConfig,
} from "@waybill/oci";

/** Lines of one layer that are worth reading. */
const MAX_FILES = 20;

type Side = Pick<ImageRecord, "digest" | "platforms">;

/** A line for each thing that differs, its files indented below it; empty where the digests are equal. */
export async function differencesOf(store: BlobStore, before: ImageRecord, after: ImageRecord): Promise<string[]> {
  const lines = await ofSide(store, before, after);
  for (const [name, variant] of Object.entries(before.variants)) {
    const other = after.variants[name];
    if (other === undefined) lines.push(`the variant ${name} is gone`);
    else for (const line of await ofSide(store, variant, other)) lines.push(`${name}: ${line}`);
  }
  if (lines.length === 0 && before.digest !== after.digest) lines.push(`${before.digest} became ${after.digest}`);
  return lines;
}

async function ofSide(store: BlobStore, before: Side, after: Side): Promise<string[]> {
  if (before.digest === after.digest) return [];
  const lines: string[] = [];
  for (const platform of before.platforms) {
    const other = after.platforms.find((each) => each.platform === platform.platform);
    if (other === undefined) lines.push(`${platform.platform}: gone`);
    else if (other.digest !== platform.digest) lines.push(...(await ofPlatform(store, platform, other)));
  }
  return lines;
}

async function ofPlatform(store: BlobStore, before: PlatformRecord, after: PlatformRecord): Promise<string[]> {
  const lines: string[] = [];
  const count = Math.max(before.layers.length, after.layers.length);
  for (let index = 0; index < count; index++) {
    const [old, now] = [before.layers[index], after.layers[index]];
    if (old?.digest === now?.digest) continue;
    lines.push(`${before.platform}: ${describeLayer(old, now)}`);
    if (old !== undefined && now !== undefined) lines.push(...(await filesOf(store, old, now)));
  }
  if (lines.length > 0) return lines;
  const fields = await configFields(store, before, after);
  return [`${before.platform}: the same layers, another configuration`, ...fields];
}

function describeLayer(old: LayerRecord | undefined, now: LayerRecord | undefined): string {
  const step = ((old ?? now)?.createdBy ?? "").slice(0, 100);
  return `layer ${short(old)} became ${short(now)}: ${step}`;
}

const short = (layer: LayerRecord | undefined): string =>
  layer === undefined ? "nothing" : layer.digest.replace(/^sha256:/, "").slice(0, 12);

async function filesOf(store: BlobStore, old: LayerRecord, now: LayerRecord): Promise<string[]> {
  const changes = await ifHere(() => diffLayer(store, old, now));
  if (changes === undefined) return [`  ${old.size} B became ${now.size} B; the bytes of the first are nowhere near`];
  if (changes.length === 0) return ["  the same files, packed differently"];
  const shown = changes.slice(0, MAX_FILES).map(describeFile);
  return changes.length > MAX_FILES ? [...shown, `  and ${changes.length - MAX_FILES} more`] : shown;
}

const describeFile = ({ path, change, what }: EntryChange): string =>
  `  ${path}: ${what.length === 0 ? change : what.join(", ")}`;

async function configFields(store: BlobStore, before: PlatformRecord, after: PlatformRecord): Promise<string[]> {
  const fields = await ifHere(async () =>
    differingFields(await readConfig(store, before.config), await readConfig(store, after.config)),
  );
  return (fields ?? []).slice(0, MAX_FILES).map((field) => `  ${field}`);
}

/** What can't be read because it isn't here is no failure: then less can be told. */
async function ifHere<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof WaybillError) return undefined;
    throw error;
  }
}

/** "config.Env.0: A=b -> A=c" */
function differingFields(before: unknown, after: unknown, path = ""): string[] {
  if (isTree(before) && isTree(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => differingFields(before[name], after[name], path === "" ? name : `${path}.${name}`));
  }
  const [old, now] = [JSON.stringify(before) ?? "nothing", JSON.stringify(after) ?? "nothing"];
  return old === now ? [] : [`${path}: ${old.slice(0, 80)} -> ${now.slice(0, 80)}`];
}

const isTree = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
