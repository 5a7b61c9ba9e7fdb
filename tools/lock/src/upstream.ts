// Which version of upstream an image repackages, by the pin that project.json names for it.

import { join } from "node:path";
import { WaybillError } from "@waybill/oci";
import { readDeclaration } from "./declaration.ts";
import { goModule } from "./go/modules.ts";
import { readLock } from "./lock-file.ts";
import { listsOf } from "./schema.ts";
import type { ImageLock } from "./schema.ts";

/**
 * "18.2.7" for Debian's 18.2.7+ds-1+deb13u1, "17.12.0" for its 17.12-0+deb13u1: three numbers, as versions here have them.
 * @returns undefined where the image names no upstream
 * @throws {WaybillError} nothing of that name is pinned, or its version isn't a release's
 */
export async function upstreamVersion(imageFolder: string): Promise<string | undefined> {
  const { upstream } = await readDeclaration(imageFolder);
  if (upstream === undefined) return undefined;
  const [kind = "", name = ""] = upstream.split(/:(.*)/);
  const pinned =
    kind === "go" ? (await goModule(imageFolder, name))?.version : inLock(await readLock(imageFolder), kind, name);
  const where = join(imageFolder, "project.json");
  if (pinned === undefined)
    throw new WaybillError(`nothing is pinned as ${upstream}`, {
      where,
      mend: 'name a pin of the image as "upstream"',
    });
  const version = plainVersion(pinned, kind);
  if (version === undefined)
    throw new WaybillError(`${pinned} of ${upstream} is not a release's version`, { where, mend: "pin a release" });
  return version;
}

function inLock({ source, packages, files }: ImageLock, kind: string, name: string): string | undefined {
  if (kind === "source") return source?.version;
  if (kind === "debian") {
    const all = Object.values(packages).flatMap((set) => listsOf(set).flatMap(([, list]) => list));
    return all.find((one) => one.name === name)?.version;
  }
  return Object.values(files)
    .flat()
    .find((one) => one.kind === kind && one.name === name)?.version;
}

/** Debian policy 5.6.12: [epoch:]upstream[-revision]; "+ds" and the like are of Debian's making, "~" and "-" begin a pre-release. */
function plainVersion(pinned: string, kind: string): string | undefined {
  const upstream = kind === "debian" ? pinned.replace(/^\d+:/, "").replace(/-[^-]*$/, "") : pinned;
  const [, major, minor = "0", patch = "0"] = /^\D*(\d+)(?:\.(\d+))?(?:\.(\d+))?(?![\d~-])[^~-]*$/.exec(upstream) ?? [];
  return major === undefined ? undefined : [major, minor, patch].map(Number).join(".");
}
