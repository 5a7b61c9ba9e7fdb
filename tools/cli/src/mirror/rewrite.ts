// waybill mirror rewrite: references as the mirror has them, one by one or in files; back with --back. Without a mirror they stay as
// they are, so that scripts need not ask first.

import { existsSync } from "node:fs";
import { chmod, readFile, realpath, stat } from "node:fs/promises";
import { type Backend, findMirror, readMirror } from "@waybill/mirror/backend";
import { type Rewrite, fromMirror, mirrorAt, rewriteText, toMirror } from "@waybill/mirror/rewrite";
import { namesImages } from "@waybill/mirror/scan";
import { WaybillError, formatReference, parseReference, writeFileAtomic } from "@waybill/oci";
import { type Command, type Values, text } from "../command.ts";
import { DIR, folderOf } from "./folder.ts";

export const command: Command = {
  summary: "references as the mirror has them, and back; in files too",
  usage: "<image|file>…",
  options: { ...DIR, url: { type: "string" }, back: { type: "boolean" }, write: { type: "boolean" } },
  async run(names, values) {
    if (names.length === 0) throw new WaybillError("say what to rewrite", { mend: "images, or files that name some" });
    const files = names.filter(isFile);
    const write = values["write"] === true;
    if (!write && files.length > 0 && names.length > 1)
      throw new WaybillError("one file at a time is printed", { mend: "--write writes several" });
    const rewrite = rewriteOf(await mirrorOf(values), values["back"] === true);
    for (const image of names.filter((name) => !isFile(name))) printImage(image, rewrite, values["json"] === true);
    // All are read before one is written.
    const done = await Promise.all(files.map((file) => rewriteFile(file, rewrite)));
    for (const each of done) await putOut(each, write);
    return done.some(({ left }) => left.length > 0) ? 1 : 0;
  },
};

/** What looks like a file is none of Docker Hub's images. */
function isFile(name: string): boolean {
  if (!namesImages(name)) return false;
  if (existsSync(name)) return true;
  throw new WaybillError("there is no such file", { where: name });
}

/** Undefined where there is none. */
async function mirrorOf(values: Values): Promise<Backend | undefined> {
  const url = text(values, "url");
  if (url !== undefined) return mirrorAt(addressOf(url));
  // Its names can be undone without it.
  const mirror = await (values["back"] === true ? readMirror : findMirror)(folderOf(values));
  if (mirror === undefined) console.error("no mirror is there: everything stays as it is");
  return mirror;
}

/** @throws {WaybillError} no address of a registry */
function addressOf(url: string): string {
  const parsed = URL.parse(url.includes("://") ? url : `http://${url}`);
  if (parsed !== null && /^https?:$/.test(parsed.protocol)) return parsed.origin;
  throw new WaybillError(`--url ${url} is no address of a registry`, { mend: "write http://host:port" });
}

function rewriteOf(mirror: Backend | undefined, back: boolean): Rewrite {
  if (mirror === undefined) return () => undefined;
  return back ? fromMirror(mirror) : toMirror(mirror);
}

function printImage(image: string, rewrite: Rewrite, json: boolean): void {
  const to = rewrite(parseReference(image));
  const rewritten = to === undefined ? image : formatReference(to);
  console.log(json ? JSON.stringify({ image, rewritten }) : rewritten);
}

interface Done {
  file: string;
  before: string;
  text: string;
  changed: number;
  left: string[];
}

async function rewriteFile(file: string, rewrite: Rewrite): Promise<Done> {
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new WaybillError(`the file can't be read (${cause.code})`, { where: file, cause });
  });
  const before = bytes.toString("utf8");
  // What doesn't come out as it went in would be spoilt by being written.
  if (!Buffer.from(before).equals(bytes)) throw new WaybillError("the file is not UTF-8", { where: file });
  return { file, before, ...rewriteText(before, file, file, rewrite) };
}

async function putOut({ file, before, text: after, changed, left }: Done, write: boolean): Promise<void> {
  for (const line of left) console.error(line);
  if (!write) return void process.stdout.write(after);
  if (after !== before) await replace(file, after);
  console.log(`${file}: ${changed} rewritten`);
}

/** Where a link leads, and with the rights it had. */
async function replace(file: string, content: string): Promise<void> {
  const real = await realpath(file);
  const { mode } = await stat(real);
  await writeFileAtomic(real, content, mode & 0o777);
  // What the umask took away.
  await chmod(real, mode & 0o7777);
}
