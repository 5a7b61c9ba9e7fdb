// `nx g @waybill/nx-plugin:image`: the folder of a new image. What it writes builds, lints and tests green as it is, and is there to be
// changed.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
// Types alone: loading the devkit costs more than all of this.
import type { Tree } from "@nx/devkit";
import { WaybillError } from "@waybill/oci/error";
import { run } from "@waybill/oci/run";
import { type ImageOptions, packagesOf, sourceOf } from "./options.ts";
import { addToPackageLock } from "./package-lock.ts";

const TEMPLATES = join(import.meta.dirname, "templates");
const SUFFIX = ".template";

/** @returns what Nx calls when the files are there: pins what the image takes from upstream */
export default function image(tree: Tree, options: ImageOptions): () => Promise<void> {
  const root = `images/${options.name}`;
  if (tree.exists(root))
    throw new WaybillError("the folder is there already", { where: root, mend: "take another name" });
  const [program] = packagesOf(options);
  write(tree, `${root}/project.json`, projectOf(options));
  write(tree, `${root}/package.json`, packageOf(options));
  const folder = join(TEMPLATES, options.from);
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(SUFFIX),
  )) {
    const text = readFileSync(join(folder, file), "utf8");
    const words = { name: options.name, program, repository: options.repository ?? "" };
    tree.write(`${root}/${file.slice(0, -SUFFIX.length)}`, filled(text, words));
  }
  return () => settle(tree.root, options);
}

/** What needs the network, and what follows from what came of it. */
async function settle(root: string, { name, from }: ImageOptions): Promise<void> {
  const waybill = async (...args: string[]): Promise<void> => {
    const { exitCode } = await run(process.execPath, ["tools/cli/src/waybill.ts", ...args], {
      cwd: root,
      stdio: "inherit",
    });
    if (exitCode !== 0) {
      throw new WaybillError(`images/${name} is written, and not pinned yet`, { mend: `npx waybill lock ${name}` });
    }
  };
  if (from !== "dockerfile") await waybill("lock", name);
  if (from === "source") await waybill("edges", "--fix");
  await addToPackageLock(root, `images/${name}`);
  console.log(`\n./nx run ${name}:test builds and tests it; images/${name}/README.md says what to change`);
}

const write = (tree: Tree, path: string, content: object): void =>
  tree.write(path, `${JSON.stringify(content, undefined, 2)}\n`);

const filled = (text: string, words: Record<string, string>): string =>
  text.replaceAll(/\{\{(\w+)\}\}/g, (whole, word: string) => words[word] ?? whole);

function projectOf(options: ImageOptions): object {
  return { name: options.name, tags: ["type:image"], metadata: { image: declared(options) } };
}

function declared(options: ImageOptions): object {
  if (options.from === "dockerfile") return {};
  if (options.from === "source") {
    return { source: sourceOf(options), healthcheck: "none: upstream's image has none; write what probes it" };
  }
  return {
    packages: { main: { debian: packagesOf(options), without: ["debconf"] } },
    healthcheck: "none: a program that ends; its exit code tells",
  };
}

/** The images it is built from, for npm and changesets; of an upstream repository they are known when it is locked. */
const BASES = { dockerfile: ["node"], debian: ["rootfs-builder", "static"], source: [] };

function packageOf({ name, from }: ImageOptions): object {
  const bases = BASES[from].map((base) => [`@waybill/${base}`, "0.1.0"]);
  return {
    name: `@waybill/${name}`,
    version: "0.1.0",
    private: true,
    type: "module",
    ...(bases.length > 0 && { dependencies: Object.fromEntries(bases) as object }),
    devDependencies: { "@waybill/testing": "0.0.0" },
  };
}
