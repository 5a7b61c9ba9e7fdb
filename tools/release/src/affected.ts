// Which images a change may concern, by turbo-ignore: it reads package.json files and git alone, so CI can ask before a runner is
// spent on an image, and it knows nothing of the graph that Nx makes of the Dockerfiles. Where the two disagree, one is wrong.

import { join } from "node:path";
import { WaybillError, mapLimit, run } from "@waybill/oci";
import { releasables } from "./packages.ts";

/** Processes at a time. */
const PARALLEL = 4;

/**
 * @param base the commit to compare with: "origin/main", a hash
 * @param among these images alone; all where there is none
 * @returns names of images, sorted
 * @throws {WaybillError} there is no such commit here
 */
export async function affectedImages(root: string, base: string, among: readonly string[] = []): Promise<string[]> {
  const { exitCode } = await run("git", ["-C", root, "rev-parse", "--quiet", "--verify", `${base}^{commit}`]);
  if (exitCode !== 0) {
    throw new WaybillError(`git has no commit ${base}`, {
      where: root,
      mend: "fetch it: actions/checkout with fetch-depth 0",
    });
  }
  const images = [...(await releasables(root)).values()].filter(
    ({ kind, name }) => kind === "image" && (among.length === 0 || among.includes(name)),
  );
  const affected = await mapLimit(images, PARALLEL, async (image) =>
    (await isAffected(root, image.package, base)) ? [image.name] : [],
  );
  return affected.flat().sort();
}

/** turbo-ignore ends with 1 where the package must be built (as hosts of previews want it), and when it can't tell. */
async function isAffected(root: string, name: string, base: string): Promise<boolean> {
  const program = join(root, "node_modules/turbo-ignore/dist/cli.js");
  const args = [program, name, "--task=docker-build", `--fallback=${base}`];
  const env = { TURBO_TELEMETRY_DISABLED: "1", NO_COLOR: "1" };
  return (await run(process.execPath, args, { cwd: root, env })).exitCode !== 0;
}
