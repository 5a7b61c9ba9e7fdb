// One file out of a zip (APPNOTE 6.3, no zip64, no encryption): enough for a wheel whose sha256 is pinned.

import { inflateRawSync } from "node:zlib";
import { WaybillError } from "@waybill/oci";

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;

/**
 * The content of the first entry whose name `wanted` says yes to.
 * @param where the zip's own name, for messages
 * @throws {WaybillError} there is none, or the file is no zip of a kind this reads
 */
export function unzipOne(zip: Buffer, wanted: (name: string) => boolean, where: string): Buffer {
  try {
    return find(zip, wanted);
  } catch (cause) {
    const what = cause instanceof RangeError ? "not a zip file" : (cause as Error).message;
    throw new WaybillError(what, { where, mend: "delete the file and try again", cause });
  }
}

function find(zip: Buffer, wanted: (name: string) => boolean): Buffer {
  let at = zip.readUInt32LE(endRecord(zip) + 16);
  while (zip.readUInt32LE(at) === ENTRY) {
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString("utf8", at + 46, at + 46 + nameLength);
    if (wanted(name)) return content(zip, at);
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  throw new Error("the file looked for is not in the zip");
}

/** The end record is the last thing but for a comment of up to 65535 bytes. */
function endRecord(zip: Buffer): number {
  for (let at = zip.length - 22; at >= Math.max(0, zip.length - 22 - 0xffff); at--) {
    if (zip.readUInt32LE(at) === END) return at;
  }
  throw new RangeError("no end record");
}

function content(zip: Buffer, entry: number): Buffer {
  const method = zip.readUInt16LE(entry + 10);
  const packed = zip.readUInt32LE(entry + 20);
  const size = zip.readUInt32LE(entry + 24);
  const local = zip.readUInt32LE(entry + 42);
  if (zip.readUInt32LE(local) !== LOCAL) throw new RangeError("no local header");
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const bytes = zip.subarray(start, start + packed);
  const unpacked = method === 0 ? bytes : method === 8 ? inflateRawSync(bytes, { maxOutputLength: size }) : undefined;
  if (unpacked?.length !== size) throw new Error(`a zip entry of method ${method} can't be read`);
  return unpacked;
}
