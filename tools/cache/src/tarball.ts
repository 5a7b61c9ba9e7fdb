// What Nx sends and wants back for a task (nx 23.2.1, native/cache/http_remote_cache.rs): a gzipped tar of the task's outputs by their
// paths in the workspace, with `terminalOutput` and `code` (four bytes, big-endian) beside them. Nx ends the run over a tarball it
// can't unpack, so each is read here first.

import { normalize, posix } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { check, parseJson } from "@waybill/oci/document";
import { WaybillError, messageOf } from "@waybill/oci/error";
import { type ImageRecord, recordSchema } from "@waybill/oci/record";
// The parser alone: all of tar is a tenth of a second.
import { Parser } from "tar/parse";
import type { ReadEntry } from "tar";

/** Outputs are records and counts; more than this is something else, and isn't worth a registry's while. In bytes. */
export const MAX_TARBALL_BYTES = 32 * 1024 * 1024;
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;

/** The output of docker-build. */
const RECORD = /(^|\/)dist\/image\.json$/;
const TYPES = new Set(["File", "OldFile", "Directory", "SymbolicLink"]);

export interface Tarball {
  /** Paths of the outputs that are files. */
  files: string[];
  /** Of a docker-build. */
  record: ImageRecord | undefined;
}

/** @throws {WaybillError} not what Nx can use */
export async function readTarball(bytes: Uint8Array): Promise<Tarball> {
  const tar = await promisify(gunzip)(bytes, { maxOutputLength: MAX_UNPACKED_BYTES }).catch((cause: unknown) => {
    throw new WaybillError(`not a gzipped tar (${messageOf(cause)})`, { cause });
  });
  const entries = entriesOf(tar);
  const code = entries.find(({ path }) => path === "code")?.content;
  if (code?.length !== 4) throw new WaybillError("no exit code of a task");
  if (code.readUInt32BE() !== 0) throw new WaybillError("of a task that failed");
  const outputs = entries.filter(({ path }) => path !== "code" && path !== "terminalOutput");
  for (const { path, link } of outputs) assertInside(path, link);
  return { files: outputs.flatMap(({ path, file }) => (file ? [path] : [])), record: recordIn(outputs) };
}

interface Entry {
  path: string;
  file: boolean;
  link: string | undefined;
  content: Buffer;
}

function entriesOf(tar: Buffer): Entry[] {
  const entries: Entry[] = [];
  let failure: unknown;
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      if (!TYPES.has(entry.type)) failure ??= new Error(`${entry.type} ${entry.path}`);
      entries.push(take(entry));
    },
  });
  parser.on("error", (error: unknown) => (failure ??= error));
  parser.write(tar);
  parser.end();
  if (failure !== undefined) throw new WaybillError(`not a tar of outputs (${messageOf(failure)})`, { cause: failure });
  return entries;
}

function take(entry: ReadEntry): Entry {
  const chunks: Buffer[] = [];
  const taken: Entry = {
    path: entry.path.replace(/\/$/, ""),
    file: entry.type === "File" || entry.type === "OldFile",
    link: entry.type === "SymbolicLink" ? (entry.linkpath ?? "") : undefined,
    content: Buffer.alloc(0),
  };
  entry.on("data", (chunk: Buffer) => chunks.push(chunk));
  entry.on("end", () => (taken.content = Buffer.concat(chunks)));
  return taken;
}

/** Nx would refuse it too, but by failing the run. */
function assertInside(path: string, link: string | undefined): void {
  const target = link === undefined ? path : posix.join(posix.dirname(path), link);
  const outside = [path, target].some((each) => posix.isAbsolute(each) || normalize(each).split("/")[0] === "..");
  if (outside || (link !== undefined && posix.isAbsolute(link))) {
    throw new WaybillError(`${path} leads out of the workspace`);
  }
}

function recordIn(outputs: readonly Entry[]): ImageRecord | undefined {
  const found = outputs.find(({ path, file }) => file && RECORD.test(path));
  if (found === undefined) return undefined;
  return check(recordSchema, parseJson(found.content, found.path), found.path);
}
