// One header block of a tar (POSIX.1-2001 ustar and pax; https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html), as far
// as bundles need it: files and folders, without owners or times, so that the same content is the same bytes.

import { WaybillError } from "@waybill/oci";

export const BLOCK = 512;

/** What a header says of the entry that follows it. */
export interface TarHeader {
  name: string;
  /** Of the entry's content, in bytes. */
  size: number;
  /** As in the format: "0" file, "5" folder, "x" pax records for the next entry, and the rest. */
  type: string;
}

/** The largest size that eleven octal digits can say. */
const MAX_OCTAL = 0o77777777777;
const MAX_NAME = 100;

/** Content takes whole blocks. */
export const padded = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;

/** The blocks that stand before an entry's content: its header, with pax records before it where ustar can't say it. */
export function encodeHeader({ name, size, type }: TarHeader): Buffer {
  const records = { ...(name.length > MAX_NAME && { path: name }), ...(size > MAX_OCTAL && { size: String(size) }) };
  const plain = block(name.slice(0, MAX_NAME), size > MAX_OCTAL ? 0 : size, type);
  if (Object.keys(records).length === 0) return plain;
  const body = Buffer.from(Object.entries(records).map(paxRecord).join(""));
  const padding = Buffer.alloc(padded(body.length) - body.length);
  return Buffer.concat([block("pax", body.length, "x"), body, padding, plain]);
}

function block(name: string, size: number, type: string): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, "latin1");
  header.write(`${octal(type === "5" ? 0o755 : 0o644, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100, "latin1");
  header.write(`${octal(size, 11)}\0${octal(0, 11)}\0`, 124, "latin1");
  header.write(type, 156, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  header.write(`${octal(checksumOf(header), 6)}\0 `, 148, "latin1");
  return header;
}

/** "<length> <key>=<value>\n", where the length counts itself. */
function paxRecord([key, value]: [string, string]): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length += 1;
  return `${length} ${key}=${value}\n`;
}

/**
 * Reads a header block.
 * @returns undefined for a block of zeros, which ends the archive
 * @throws {WaybillError} it is no header
 */
export function decodeHeader(header: Buffer, where: string): TarHeader | undefined {
  if (header.every((byte) => byte === 0)) return undefined;
  const said = number(header.subarray(148, 156));
  if (said !== checksumOf(header)) throw new WaybillError("not a tar, or a damaged one", { where });
  const prefix = header.toString("latin1", 257, 263) === "ustar\0" ? text(header.subarray(345, 500)) : "";
  const size = number(header.subarray(124, 136));
  if (size === undefined) throw new WaybillError("a tar header without a size", { where });
  const name = text(header.subarray(0, 100));
  const type = String.fromCharCode(header[156] ?? 0);
  return { name: prefix === "" ? name : `${prefix}/${name}`, size, type: type === "\0" ? "0" : type };
}

/** What a pax header says of the entry after it; keys that matter to bundles only. */
export function decodePax(records: Buffer, where: string): { path?: string; size?: number } {
  const said: { path?: string; size?: number } = {};
  for (let at = 0; at < records.length;) {
    const [, digits] = /^(\d{1,8}) /.exec(records.toString("latin1", at, at + 9)) ?? [];
    const length = Number(digits ?? 0);
    const record = records.toString("utf8", at + (digits?.length ?? 0) + 1, at + length);
    const equals = record.indexOf("=");
    if (length === 0 || at + length > records.length || equals < 1 || !record.endsWith("\n"))
      throw new WaybillError("damaged pax records", { where });
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1, -1)];
    if (key === "path") said.path = value;
    if (key === "size") said.size = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    at += length;
  }
  if (Number.isNaN(said.size)) throw new WaybillError("damaged pax records", { where });
  return said;
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");

/** The sum of the header's bytes, with spaces for the field of the sum itself. */
function checksumOf(header: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i] ?? 0;
  return sum;
}

/** An octal field; undefined for anything else. GNU's binary sizes are not read: a size that needs them comes as a pax record. */
function number(field: Buffer): number | undefined {
  const digits = text(field).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

function text(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? field.length : end);
}
