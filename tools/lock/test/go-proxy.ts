// A Go module proxy as files (https://go.dev/ref/mod#goproxy-protocol), of modules that are made for a test.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/** @param files of the module, by path; go.mod among them. @returns nothing; GOPROXY is `file://<root>` */
export async function publish(
  root: string,
  module: string,
  version: string,
  files: Record<string, string>,
): Promise<void> {
  const folder = join(root, module, "@v");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "list"), `${version}\n`, { flag: "a" });
  await writeFile(join(folder, `${version}.info`), JSON.stringify({ Version: version, Time: "2026-01-01T00:00:00Z" }));
  await writeFile(join(folder, `${version}.mod`), files["go.mod"] ?? "");
  const named = Object.entries(files).map(([path, text]): [string, string] => [`${module}@${version}/${path}`, text]);
  await writeFile(join(folder, `${version}.zip`), zipOf(named));
}

/** Stored, not packed (APPNOTE.TXT 4.3.7, 4.3.12, 4.3.16). */
function zipOf(files: readonly (readonly [string, string])[]): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const [path, text] of files) {
    const [name, content] = [Buffer.from(path), Buffer.from(text)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, name, content]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    central.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), common, rest, name]));
    parts.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, directory, end]);
}
