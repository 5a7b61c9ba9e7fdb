// Go modules: the linker writes into each program which modules it was made of (Go's debug/buildinfo).

import type { LayerEntry, TreeEntry } from "@waybill/oci";
import type { Package } from "./package.ts";

const MAGIC = Buffer.from("\xff Go buildinf:", "latin1");
const HEADER_BYTES = 32;
/** The module list stands between two marks of 16 bytes, by which programs without debug symbols are searched. */
const MARK_BYTES = 16;
/** Since Go 1.18 the strings follow the header; before, they were reached by pointers. */
const INLINE_STRINGS = 2;

/** Smaller than the smallest Go program. */
const LEAST_BYTES = 500_000;

/** Whether the file may be a Go program, by what is known before its content. */
export const mayBeGo = ({ type, head, size, mode, path }: LayerEntry): boolean =>
  type === "file" &&
  size >= LEAST_BYTES &&
  (mode & 0o111) !== 0 &&
  head.subarray(0, 4).equals(Buffer.from("\x7fELF", "latin1")) &&
  !/\.so(\.|$)/.test(path);

/** @param entry with all of its content as `head`; none where the program is not Go's */
export function goModules({ path, layer, head, size }: TreeEntry): Package[] {
  const info = buildInfo(head);
  if (info === undefined) return [];
  const found = (name: string, version: string): Package => ({ type: "golang", name, version, path, layer });
  const modules = parseModules(info.modules);
  const packages = [found("stdlib", info.goVersion.replace(/^go/, ""))];
  for (const { name, version, main } of modules) packages.push({ ...found(name, version), ...(main ? { size } : {}) });
  return packages;
}

function buildInfo(program: Buffer): { goVersion: string; modules: string } | undefined {
  for (let at = program.indexOf(MAGIC); at >= 0; at = program.indexOf(MAGIC, at + 1)) {
    // The linker aligns it; elsewhere it is a string in a program that reads such headers.
    if (at % 16 !== 0 || ((program[at + 15] ?? 0) & INLINE_STRINGS) === 0) continue;
    const [goVersion, next] = readString(program, at + HEADER_BYTES);
    const [marked] = readString(program, next);
    if (goVersion.startsWith("go")) return { goVersion, modules: unmark(marked) };
  }
  return undefined;
}

const unmark = (text: string): string =>
  text.length >= 2 * MARK_BYTES && text.at(-MARK_BYTES - 1) === "\n" ? text.slice(MARK_BYTES, -MARK_BYTES) : "";

/** Length as a varint (Go's encoding/binary), then bytes. @returns the string and where the next begins */
function readString(buffer: Buffer, start: number): [string, number] {
  let length = 0;
  let at = start;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = buffer[at++] ?? 0;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  // As bytes: the marks are no UTF-8.
  return [buffer.subarray(at, at + length).toString("latin1"), at + length];
}

interface Module {
  name: string;
  version: string;
  main: boolean;
}

/** Lines of "mod|dep|=> path version [sum]", by tabs; "=>" replaces the module of the line above. */
function parseModules(text: string): Module[] {
  const modules: Module[] = [];
  for (const line of text.split("\n")) {
    const [kind, name, version = ""] = line.split("\t");
    if (name === undefined) continue;
    if (kind === "mod" || kind === "dep") modules.push({ name, version, main: kind === "mod" });
    // A folder in place of a module has no version; the name stays what programs import.
    else if (kind === "=>" && modules.length > 0 && version !== "") (modules.at(-1) as Module).version = version;
  }
  return modules;
}
