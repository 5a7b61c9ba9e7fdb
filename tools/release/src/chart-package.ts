// A chart as an OCI artifact, as `helm push` makes it (Helm, "Registries"; helm.sh/community/hips/hip-0006). The archive has no
// times and no owners of this machine, so the same chart is the same digest.

import { readFileSync, readdirSync } from "node:fs";
import { join, matchesGlob, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { MEDIA_TYPE, type Descriptor, canonicalJson, digestOf } from "@waybill/oci";
import { Header } from "tar";
import { parse } from "yaml";

const CONFIG = "application/vnd.cncf.helm.config.v1+json";
const CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/** What belongs to this repo and not to the chart. */
const OURS = ["package.json", "project.json", "CHANGELOG.md", "test", "dist", "node_modules", ".helmignore"];

export interface Stored extends Descriptor {
  bytes: Buffer;
}

export interface ChartPackage {
  name: string;
  version: string;
  manifest: Stored;
  config: Stored;
  content: Stored;
}

/** @param folder of a chart, absolute */
export async function packageChart(folder: string): Promise<ChartPackage> {
  const metadata = parse(readFileSync(join(folder, "Chart.yaml"), "utf8")) as { name: string; version: string };
  const config = stored(CONFIG, Buffer.from(canonicalJson(metadata)));
  const content = stored(CONTENT, gzipSync(archive(folder, metadata.name), { level: 9 }));
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: descriptor(config),
    layers: [descriptor(content)],
    annotations: {
      "org.opencontainers.image.title": metadata.name,
      "org.opencontainers.image.version": metadata.version,
    },
  });
  return {
    name: metadata.name,
    version: metadata.version,
    manifest: stored(MEDIA_TYPE.manifest, Buffer.from(manifest)),
    config,
    content,
  };
}

const stored = (mediaType: string, bytes: Buffer): Stored => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
  bytes,
});

const descriptor = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size });

/** Files in the order of their names, below a folder of the chart's name, Chart.yaml first as helm has it. */
function archive(folder: string, name: string): Buffer {
  const files = filesIn(folder, ignored(folder)).sort((a, b) =>
    a === "Chart.yaml" ? -1 : b === "Chart.yaml" ? 1 : a < b ? -1 : 1,
  );
  const blocks = files.flatMap((file) => {
    const content = readFileSync(join(folder, file));
    return [header(`${name}/${file}`, content.length), content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function header(path: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  const fields = { path, size, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0), type: "File" as const };
  new Header({ ...fields, uname: "", gname: "" }).encode(block);
  return block;
}

function filesIn(folder: string, skip: (path: string) => boolean): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !skip(path));
}

/** .helmignore: a pattern a line, for names anywhere or, with a slash in it, from the chart's root; a folder takes what is in it. */
function ignored(folder: string): (path: string) => boolean {
  const patterns = [...OURS, ...linesOf(join(folder, ".helmignore"))].map((line) => line.replace(/\/$/, ""));
  return (path) => {
    const parts = path.split("/");
    const ways = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
    return patterns.some((pattern) =>
      pattern.includes("/")
        ? ways.some((way) => matchesGlob(way, pattern.replace(/^\//, "")))
        : parts.some((part) => matchesGlob(part, pattern)),
    );
  };
}

function linesOf(file: string): string[] {
  try {
    const lines = readFileSync(file, "utf8").split("\n");
    return lines.map((line) => line.trim()).filter((line) => line !== "" && !/^[#!]/.test(line));
  } catch {
    return [];
  }
}
