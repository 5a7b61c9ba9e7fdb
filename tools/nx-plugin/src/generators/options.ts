// What a new image is asked to be.

import { WaybillError } from "@waybill/oci/error";

export interface ImageOptions {
  name: string;
  from: "dockerfile" | "debian" | "source";
  packages?: string;
  repository?: string;
  sourceVersion?: string;
  bases?: string[];
}

const MEND =
  "./nx g @waybill/nx-plugin:image ui --from source --repository https://github.com/acme/ui --source-version v1.2.0";

/** @throws {WaybillError} an option that this kind of image needs is missing */
export function sourceOf({ repository, sourceVersion, bases = [] }: ImageOptions): object {
  if (repository === undefined) throw new WaybillError("--from source needs --repository", { mend: MEND });
  if (sourceVersion === undefined) throw new WaybillError("--from source needs --source-version", { mend: MEND });
  const pairs = bases.flatMap((each) => each.split(",")).map((pair) => [pair, pair.lastIndexOf("=")] as const);
  const wrong = pairs.find(([, at]) => at < 1)?.[0];
  if (wrong !== undefined) {
    throw new WaybillError(`--bases ${wrong} is not NAME=IMAGE`, {
      mend: "write node:24-alpine=waybill/toolchain-node",
    });
  }
  const mapped = Object.fromEntries(pairs.map(([pair, at]) => [pair.slice(0, at), pair.slice(at + 1)]));
  return { repository, version: sourceVersion, ...(pairs.length > 0 && { bases: mapped }) };
}

/** Names of Debian packages; the image runs the program that the first is called after. */
export const packagesOf = ({ packages = "jq" }: ImageOptions): [string, ...string[]] =>
  packages.split(",").map((name) => name.trim()) as [string, ...string[]];
