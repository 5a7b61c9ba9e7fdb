// Small tars for tests, made header by header so that a test says exactly what lies in a layer.

import { Header, Pax } from "tar";

export interface TarEntry {
  /** With a "/" at its end: a folder. */
  path: string;
  content?: string | Buffer;
  mode?: number;
  uid?: number;
  gid?: number;
  /** Seconds since 1970. */
  mtime?: number;
  symlink?: string;
  hardlink?: string;
}

export function tarOf(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocksOf), Buffer.alloc(1024)]);
}

function blocksOf(entry: TarEntry): Buffer[] {
  const content = Buffer.from(entry.content ?? "");
  const fields = {
    path: entry.path,
    type: typeOf(entry),
    mode: entry.mode ?? 0o644,
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    size: content.length,
    mtime: new Date((entry.mtime ?? 0) * 1000),
    linkpath: entry.symlink ?? entry.hardlink ?? "",
  };
  const header = new Header(fields);
  const block = Buffer.alloc(512);
  const extended = header.encode(block, 0)
    ? [new Pax({ path: fields.path, ...(fields.linkpath === "" ? {} : { linkpath: fields.linkpath }) }).encode()]
    : [];
  return [...extended, block, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}

function typeOf({ path, symlink, hardlink }: TarEntry): "File" | "Directory" | "SymbolicLink" | "Link" {
  if (symlink !== undefined) return "SymbolicLink";
  if (hardlink !== undefined) return "Link";
  return path.endsWith("/") ? "Directory" : "File";
}
