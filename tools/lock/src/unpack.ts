// A set's packages as the files in them, for the one build that can't unpack a .deb by itself: the bootstrap, which starts from
// nothing. Works on hosts without dpkg.

import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { WaybillError } from "@waybill/oci";
import { extract } from "tar";
import xz from "xz-decompress";
import { defaultCacheDir, viewPath } from "./cache.ts";
import { isComplete } from "./view.ts";

/**
 * Extracts every .deb of `folder` into one folder, which is made once for one content.
 * @throws {WaybillError} a file that is no Debian package (deb(5))
 */
export async function unpackPackages(folder: string, cacheDir = defaultCacheDir()): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".deb")).sort();
  // The set's own folder is named by its content already.
  const view = viewPath(cacheDir, createHash("sha256").update(`unpacked ${folder}`).digest("hex"));
  if (await isComplete(view)) return view;
  const fresh = join(dirname(view), `.${randomUUID()}.tmp`);
  await mkdir(fresh, { recursive: true });
  try {
    for (const name of names) await unpack(join(folder, name), fresh);
    await utimes(fresh, 0, 0);
    await rename(fresh, view).catch(async (error: unknown) => {
      if (!(await isComplete(view))) throw error; // else another process was first
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return view;
}

async function unpack(file: string, target: string): Promise<void> {
  const { name, content } = dataMember(await readFile(file), file);
  await pipeline(decompress(name, content, file), extract({ cwd: target, preserveOwner: false }));
}

function decompress(name: string, content: Buffer, file: string): NodeJS.ReadableStream {
  if (name === "data.tar.xz") {
    // The library wants the web's stream, and gives one back.
    return Readable.fromWeb(new xz.XzReadableStream(Readable.toWeb(Readable.from([content])) as never) as never);
  }
  if (name === "data.tar.gz") return Readable.from([content]).pipe(createGunzip());
  if (name === "data.tar.zst") return Readable.from([content]).pipe(createZstdDecompress());
  throw new WaybillError(`${name} is in a compression that can't be read`, { where: file });
}

/** The files of a package, in its ar archive (ar(5): a magic line, then 60-byte headers, members padded to even sizes). */
function dataMember(archive: Buffer, file: string): { name: string; content: Buffer } {
  const bad = (): WaybillError =>
    new WaybillError("not a Debian package", { where: file, mend: "delete it; it is fetched again" });
  if (archive.toString("latin1", 0, 8) !== "!<arch>\n") throw bad();
  for (let at = 8; at + 60 <= archive.length;) {
    const name = archive
      .toString("latin1", at, at + 16)
      .trim()
      .replace(/\/$/, "");
    const size = Number(archive.toString("latin1", at + 48, at + 58));
    if (!Number.isInteger(size)) throw bad();
    if (name.startsWith("data.tar")) return { name, content: archive.subarray(at + 60, at + 60 + size) };
    at += 60 + size + (size % 2);
  }
  throw bad();
}
