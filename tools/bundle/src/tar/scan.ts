// Finds the entries of a tar without reading their content. Strict, as bundles travel on disks through many hands: whatever a bundle
// has no use for (links, devices, names outside, a name twice) is refused, not skipped.

import type { FileHandle } from "node:fs/promises";
import { WaybillError } from "@waybill/oci";
import { BLOCK, type TarHeader, decodeHeader, decodePax, padded } from "./header.ts";

/** Where an entry's content lies in the file, in bytes. */
export interface Place {
  start: number;
  size: number;
}

/** Pax records hold a name and a size here; more is an attack on the memory. */
const MAX_PAX_BYTES = 16 * 1024;

/**
 * @param accept called with each entry's name, without "./" and the slash at its end
 * @returns the files, by name
 * @throws {WaybillError} it is no tar, is cut short, or has something in it that no bundle has
 */
export async function scanTar(
  handle: FileHandle,
  where: string,
  accept: (name: string, type: "file" | "folder", size: number) => void,
): Promise<Map<string, Place>> {
  const { size: length } = await handle.stat();
  const files = new Map<string, Place>();
  let said: { path?: string; size?: number } = {};
  for (let at = 0; ;) {
    const header = await headerAt(handle, at, length, where);
    if (header === undefined) return files;
    const size = said.size ?? header.size;
    const start = at + BLOCK;
    if (start + size > length) throw truncated(where);
    at = start + padded(size);
    if (header.type === "x") {
      said = await paxAt(handle, { start, size }, where);
      continue;
    }
    const name = nameOf(said.path ?? header.name);
    said = {};
    const type = typeOf(header, where);
    if (files.has(name)) throw new WaybillError(`the bundle has ${name} twice`, { where });
    accept(name, type, size);
    if (type === "file") files.set(name, { start, size });
  }
}

async function headerAt(handle: FileHandle, at: number, length: number, where: string): Promise<TarHeader | undefined> {
  if (at + BLOCK > length) throw truncated(where);
  const block = Buffer.alloc(BLOCK);
  await handle.read(block, 0, BLOCK, at);
  return decodeHeader(block, where);
}

async function paxAt(handle: FileHandle, { start, size }: Place, where: string): Promise<ReturnType<typeof decodePax>> {
  if (size > MAX_PAX_BYTES) throw new WaybillError(`a pax header of ${size} bytes is too large`, { where });
  const records = Buffer.alloc(size);
  await handle.read(records, 0, size, start);
  return decodePax(records, where);
}

function typeOf({ type, name }: TarHeader, where: string): "file" | "folder" {
  if (type === "0") return "file";
  if (type === "5") return "folder";
  const what = type === "1" || type === "2" ? "a link" : `an entry of type ${JSON.stringify(type)}`;
  throw new WaybillError(`the bundle has ${what}, ${JSON.stringify(name.slice(0, 200))}: no bundle of ours does`, {
    where,
  });
}

/** Other programs' tars of a bundle begin with "./". */
const nameOf = (name: string): string => name.replace(/^(?:\.\/)+(?=.)/, "").replace(/\/$/, "");

const truncated = (where: string): WaybillError =>
  new WaybillError("the bundle is cut short", { where, mend: "copy it again" });
