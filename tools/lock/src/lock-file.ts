// image.lock.json on disk: one text for one content, a line for each pinned thing, so that an upgrade is a diff of single lines.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "@waybill/oci";
import { readDocument } from "./document.ts";
import { LOCK_FILE, imageLock } from "./schema.ts";
import type { ImageLock } from "./schema.ts";

export { LOCK_FILE } from "./schema.ts";

export function emptyLock(): ImageLock {
  return { lockVersion: 1, packages: {}, files: {}, bases: {} };
}

/**
 * The lock of an image; an empty one where the image has none.
 * @throws {WaybillError} the file is there and breaks the schema
 */
export async function readLock(imageFolder: string): Promise<ImageLock> {
  const file = join(imageFolder, LOCK_FILE);
  return existsSync(file) ? await readDocument(file, imageLock) : emptyLock();
}

export async function writeLock(imageFolder: string, lock: ImageLock): Promise<void> {
  await writeFileAtomic(join(imageFolder, LOCK_FILE), formatLock(lock));
}

/** The one text of a lock: keys and lists sorted, two spaces, one line for each package and file. */
export function formatLock(lock: ImageLock): string {
  return `${formatValue(sortLock(lock), "")}\n`;
}

function sortLock({ source, packages, files, bases }: ImageLock): object {
  return {
    lockVersion: 1,
    ...(source === undefined ? {} : { source }),
    ...filled(
      "packages",
      mapSorted(packages, ({ suite, suites, ...lists }) => ({
        suite,
        ...(suites === undefined ? {} : { suites }),
        ...mapSorted(lists, (list) => [...(list ?? [])].sort(by((one) => `${one.name} ${one.arch}`))),
      })),
    ),
    ...filled(
      "files",
      mapSorted(files, (list) => [...list].sort(by((one) => `${one.kind}:${one.name} ${one.file}`))),
    ),
    ...filled(
      "bases",
      mapSorted(bases, (digest) => digest),
    ),
  };
}

function filled(key: string, value: object): object {
  return Object.keys(value).length === 0 ? {} : { [key]: value };
}

function mapSorted<V, R>(record: Record<string, V>, change: (value: V) => R): Record<string, R> {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.sort(by(([key]) => key)).map(([key, value]) => [key, change(value)]));
}

/** By code unit, so that the order is the same in every locale. */
function by<T>(key: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
}

function formatValue(value: unknown, indent: string): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isLeaf(value)) return formatLine(value);
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const members = Array.isArray(value)
    ? value.map((item) => inner + formatValue(item, inner))
    : Object.entries(value).map(([key, item]) => `${inner}${JSON.stringify(key)}: ${formatValue(item, inner)}`);
  return members.length === 0 ? `${open}${close}` : `${open}\n${members.join(",\n")}\n${indent}${close}`;
}

const MAX_LINE = 120;

/** A pinned package or file, or a short list of words. */
function isLeaf(value: object): boolean {
  if (Array.isArray(value)) {
    return value.length > 0 && value.every((item) => typeof item === "string") && formatLine(value).length <= MAX_LINE;
  }
  return "name" in value && typeof value.name === "string";
}

function formatLine(value: object): string {
  if (Array.isArray(value)) return `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
  const members = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{ ${members.map(([key, item]) => `${JSON.stringify(key)}: ${JSON.stringify(item)}`).join(", ")} }`;
}
