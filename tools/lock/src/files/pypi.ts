// Files of PyPI, through the "simple" index of PEP 503 and 691, which every mirror and proxy of it offers in at least one form.

import { WaybillError, messageOf } from "@waybill/oci";
import { z } from "zod";
import type { FileRequest } from "../declaration.ts";
import { download } from "../download.ts";
import type { DownloadOptions } from "../download.ts";
import { prepareNetwork } from "@waybill/oci/network";
import type { LockedFile } from "../schema.ts";
import { bestWheel, compareReleases, isFinal, versionOf } from "./wheels.ts";

interface IndexFile {
  file: string;
  url: string;
  sha256: string;
}

const simpleJson = z.object({
  files: z.array(
    z.object({
      filename: z.string(),
      url: z.string(),
      hashes: z.object({ sha256: z.string().optional() }),
      yanked: z.union([z.boolean(), z.string()]).default(false),
    }),
  ),
});

/**
 * The newest wheels that `request` allows: one for each platform, or a single one that serves all.
 * @throws {WaybillError} no such project or version, no wheel for a platform, or an index that can't be reached
 */
export async function resolvePypi(request: FileRequest, platforms: readonly string[]): Promise<LockedFile[]> {
  const { name, version: wanted } = request;
  const files = await readIndex(name);
  const allowed = files.filter(({ file }) => allows(wanted, versionOf(file, name)));
  const newest = [...new Set(allowed.map(({ file }) => versionOf(file, name) ?? ""))].sort(compareReleases).at(-1);
  const ofNewest = allowed.filter(({ file }) => versionOf(file, name) === newest);
  const pins = platforms.map((platform) => {
    const wheel = bestWheel(
      ofNewest.map(({ file }) => file),
      platform,
    );
    const found = ofNewest.find(({ file }) => file === wheel?.file);
    if (!wheel || !found || newest === undefined) {
      throw new WaybillError(`PyPI has no wheel of ${name}@${wanted} for ${platform}`, { where: indexUrl(name) });
    }
    const pin = { kind: "pypi", name, version: newest, file: found.file, integrity: found.sha256 } as const;
    return wheel.anyPlatform ? pin : { ...pin, platform };
  });
  return pins.filter((pin, index) => pins.findIndex(({ file }) => file === pin.file) === index);
}

/**
 * Downloads a pinned file to `target`.
 * @throws {WaybillError} the index hasn't got it, can't be reached, or serves other bytes
 */
export async function downloadPypi(pin: LockedFile, target: string, options: DownloadOptions): Promise<void> {
  const files = await readIndex(pin.name);
  const found = files.find(({ file, sha256 }) => file === pin.file && sha256 === pin.integrity);
  if (found === undefined) {
    throw new WaybillError(`PyPI has no ${pin.file} with the locked sha256 ${pin.integrity}`, {
      where: indexUrl(pin.name),
    });
  }
  await download(found.url, target, { algorithm: "sha256", hex: pin.integrity }, options);
}

/** A final release, equal to `wanted` or one of its series ("0.9" allows 0.9.5). */
function allows(wanted: string, version: string | undefined): boolean {
  if (version === undefined) return false;
  return version === wanted || (version.startsWith(`${wanted}.`) && isFinal(version));
}

/** pip's own setting names the index, without which it is the public one. */
function indexUrl(name: string): string {
  const root = (process.env.PIP_INDEX_URL || "https://pypi.org/simple").replace(/\/+$/, "");
  return `${root}/${name.toLowerCase().replaceAll(/[-_.]+/g, "-")}/`;
}

async function readIndex(name: string): Promise<IndexFile[]> {
  const url = indexUrl(name);
  const response = await fetchIndex(url);
  if (!response.ok) {
    await response.body?.cancel();
    throw new WaybillError(`PyPI answered ${response.status} for ${name}`, { where: withoutUser(url) });
  }
  const json = response.headers.get("content-type")?.includes("json") ?? false;
  const files = json ? parseJson(await response.json()) : parseHtml(await response.text());
  return files.map((one) => ({ ...one, url: new URL(one.url, response.url).href }));
}

async function fetchIndex(url: string): Promise<Response> {
  prepareNetwork(url);
  const accept = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";
  const { username, password } = new URL(url);
  const authorization = username && `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`;
  try {
    const headers = authorization ? { accept, authorization } : { accept };
    return await fetch(withoutUser(url), { headers, signal: AbortSignal.timeout(60_000) });
  } catch (error) {
    const reason = messageOf(error instanceof Error && error.cause ? error.cause : error);
    throw new WaybillError(`PyPI can't be reached (${reason})`, { where: withoutUser(url), cause: error });
  }
}

function withoutUser(url: string): string {
  const plain = new URL(url);
  plain.username = plain.password = "";
  return plain.href;
}

function parseJson(body: unknown): IndexFile[] {
  const { files } = simpleJson.parse(body);
  return files.flatMap(({ filename, url, hashes, yanked }) =>
    hashes.sha256 !== undefined && yanked === false ? [{ file: filename, url, sha256: hashes.sha256 }] : [],
  );
}

/** PEP 503: one anchor a file, its hash in the fragment. */
function parseHtml(html: string): IndexFile[] {
  return [...html.matchAll(/<a\s([^>]*)>([^<]+)<\/a>/g)].flatMap(([, attributes = "", file = ""]) => {
    const href = /href="([^"#]+)#sha256=([0-9a-f]{64})"/.exec(attributes);
    if (!href?.[1] || !href[2] || attributes.includes("data-yanked")) return [];
    return [{ file: file.trim(), url: href[1].replaceAll("&amp;", "&"), sha256: href[2] }];
  });
}
