// Everything cached: what a second run of the whole fleet costs, against the engine's own no-op of the same Dockerfiles.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { onPath } from "@waybill/engine";
import { type Image, findImages } from "@waybill/image";
import { type Output, bakeArguments } from "./bake-file.ts";
import { buildahBuild } from "./buildah.ts";
import { type Checkout, checkout } from "./checkout.ts";
import { docker } from "./engine.ts";
import { takeTurns } from "./measure.ts";
import type { Options } from "./options.ts";
import { type Row, faster, skipped } from "./row.ts";

const BENCH = "cached fleet";
const BAKE_MARK = 3;
const BUILDAH_MARK = 20;

export async function cachedFleet(options: Options): Promise<Row[]> {
  const copy = await checkout();
  await copy.nx(["run-many", "-t", "docker-build"]);
  process.chdir(copy.root);
  const images = await withDockerfile(copy.root);
  const rows = await againstBake(copy, images, options);
  return [...rows, ...(await againstBuildah(copy, images, options))];
}

async function againstBake(copy: Checkout, images: Map<string, Image>, options: Options): Promise<Row[]> {
  const chosen = choose(images, options.images);
  const bake = async (output: Output) => {
    const args = await bakeArguments({ images: ofNames(images, chosen), output, folder: join(copy.outputs, "bake") });
    return { run: () => docker(args) };
  };
  const rows: Row[] = [];
  // One after the other: a daemon that runs beside a plain Nx takes its share of the machine.
  for (const daemon of ["false", "true"] as const) {
    const nx = { run: () => ours(copy, chosen, daemon) };
    const took = await takeTurns(
      { nx, layout: await bake("layout"), cacheonly: await bake("cacheonly") },
      options.runs,
    );
    if (daemon === "true") await copy.nx(["daemon", "--stop"]);
    for (const output of ["layout", "cacheonly"] as const) {
      const to = output === "layout" ? "to OCI layouts, as ours" : "that keeps nothing (cacheonly)";
      const what = `Nx ${daemon === "true" ? "with its daemon" : "alone"}, no-op bake ${to}; ${label(images, chosen)}`;
      rows.push(faster({ bench: BENCH, what, ours: took.nx, theirs: took[output] }, BAKE_MARK));
    }
  }
  return rows;
}

async function againstBuildah(copy: Checkout, images: Map<string, Image>, options: Options): Promise<Row[]> {
  if (options.buildahImages?.[0] === "none") return [skipped(BENCH, "buildah: not asked for", ">= 20 x faster")];
  if (onPath("buildah") === undefined) return [skipped(BENCH, "buildah is not installed here", ">= 20 x faster")];
  const chosen = choose(images, options.buildahImages ?? options.images);
  const buildah = async (): Promise<void> => {
    for (const image of ofNames(images, chosen)) await buildahBuild(image);
  };
  const took = await takeTurns(
    { plain: { run: () => ours(copy, chosen, "false") }, buildah: { run: buildah } },
    options.runs,
  );
  const what = `Nx alone, no-op buildah build --layers one after the other; ${label(images, chosen)}`;
  return [faster({ bench: BENCH, what, ours: took.plain, theirs: took.buildah }, BUILDAH_MARK)];
}

const ours = (copy: Checkout, chosen: readonly string[], daemon: "true" | "false"): Promise<unknown> =>
  copy.nx(["run-many", "-t", "docker-build", "-p", chosen.join(",")], { NX_DAEMON: daemon });

/** Bake and buildah can't build one of an upstream's sources. */
async function withDockerfile(root: string): Promise<Map<string, Image>> {
  const all = [...(await findImages(root))];
  return new Map(all.filter(([, { folder }]) => existsSync(join(folder, "Dockerfile"))));
}

/** @throws when a name is no image */
function choose(images: Map<string, Image>, asked: readonly string[] | undefined): string[] {
  const unknown = asked?.find((name) => !images.has(name));
  if (unknown !== undefined) throw new Error(`there is no image "${unknown}"`);
  return [...(asked ?? images.keys())].sort();
}

const ofNames = (images: Map<string, Image>, names: readonly string[]): Image[] =>
  names.map((name) => images.get(name) as Image);

const label = (images: Map<string, Image>, chosen: readonly string[]): string =>
  chosen.length === images.size ? `all ${images.size} images` : `only ${chosen.join(", ")} of ${images.size} images`;
