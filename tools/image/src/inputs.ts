// What went into a build, file by file, so that `explain` can say what would make another.

import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { lstat, mkdir, readFile, readlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Dockerfile, contextFiles, contextPaths, edgesOf, matcherOf, readIgnore } from "@waybill/dockerfile";
import { cacheHome } from "@waybill/engine/home";
import { patchesOf } from "@waybill/lock/source/patches";
import { type ImageRecord, digestOf, serialiseRecord, writeFileAtomic } from "@waybill/oci";
import { recordOfImage } from "./bytes.ts";
import { imageEdges } from "./edges.ts";
import { type Image, SCOPE, findImage, readDockerfile } from "./image.ts";
import { sharedOf, sharedPath } from "./shared.ts";
import { workspaceRoot } from "./workspace.ts";

/** A name that a person knows ("src/server.ts", "waybill/node", "build arg X") to a hash of what it was. */
export type Inputs = Record<string, string>;

/** @throws {WaybillError} the Dockerfile can't be read, or a base has no record */
export async function inputsOf(image: Image): Promise<Inputs> {
  const inputs = await declaredInputs(image);
  for (const reference of Object.keys(inputs).filter((name) => name.startsWith(SCOPE))) {
    inputs[reference] = (await recordOfImage(await findImage(reference.slice(SCOPE.length)))).digest;
  }
  return inputs;
}

/**
 * What can be read from a checkout without anything having been built there: all but which images the bases are.
 * @param root of the checkout that the image's folder is in
 * @throws {WaybillError} the Dockerfile can't be read
 */
export async function declaredInputs(image: Image, root = workspaceRoot()): Promise<Inputs> {
  const inputs: Inputs = image.metadata.source === undefined ? await ownFiles(image) : await upstreamFiles(image);
  const { buildArgs, platforms, variants } = image.metadata;
  const dockerfile = readDockerfile(image);
  Object.assign(inputs, await sharedInputs(dockerfile, buildArgs, root));
  for (const { reference } of imageEdges(image, dockerfile)) if (reference.startsWith(SCOPE)) inputs[reference] = "";
  for (const [key, value] of Object.entries(buildArgs)) inputs[`build arg ${key}`] = value;
  inputs["the platforms"] = platforms.join(", ");
  inputs["the variants"] = JSON.stringify(variants);
  return inputs;
}

async function ownFiles({ folder }: Image): Promise<Inputs> {
  const inputs: Inputs = {};
  for (const file of ["Dockerfile", ".dockerignore", "image.lock.json"]) {
    if (existsSync(join(folder, file))) inputs[file] = await hashFile(join(folder, file));
  }
  for (const { path } of await contextFiles(folder, await readIgnore(folder))) {
    // Our own outputs: they are in a context whose .dockerignore forgot them.
    if (path.startsWith("dist/")) continue;
    inputs[path] = await hashFile(join(folder, path));
  }
  return inputs;
}

/** The tree stands for all of upstream's files. */
async function upstreamFiles({ folder, source, metadata }: Image): Promise<Inputs> {
  const inputs: Inputs = { "the bases that stand in": JSON.stringify(metadata.source?.bases) };
  if (source !== undefined) inputs["the source"] = `${source.version} (${source.commit.slice(0, 12)})`;
  for (const patch of await patchesOf(folder)) inputs[relative(folder, patch)] = await hashFile(patch);
  return inputs;
}

/** Of the shared folders what the Dockerfile names, as `images/shared/mode/mode.go`. */
async function sharedInputs(
  dockerfile: Dockerfile,
  buildArgs: Readonly<Record<string, string>>,
  root: string,
): Promise<Inputs> {
  const inputs: Inputs = {};
  for (const [context, name] of sharedOf(edgesOf(dockerfile, buildArgs))) {
    const folder = join(root, sharedPath(name));
    if (!existsSync(folder)) continue;
    const named = contextPaths(dockerfile, { buildArgs }, undefined, context);
    const matches = named.flatMap((path) => (path === "" ? [() => true] : [matcherOf(path), matcherOf(`${path}/**`)]));
    for (const { path } of await contextFiles(folder)) {
      if (matches.some((match) => match(path)))
        inputs[`${sharedPath(name)}/${path}`] = await hashFile(join(folder, path));
    }
  }
  return inputs;
}

/** A link counts by where it points, as an engine sends it. */
async function hashFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  if ((await lstat(file)).isSymbolicLink()) return hash.update(await readlink(file)).digest("hex");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** On this machine, for the record's exact content: a record from a cache may have been made of other inputs elsewhere. */
const memory = (record: ImageRecord): string =>
  join(cacheHome(), "inputs", `${record.name}-${digestOf(serialiseRecord(record)).slice(7, 27)}.json`);

/** As many ways to one record as are worth knowing: a comment, a branch and back. */
const KEEP = 8;

/** @param inputs as they were when the build began: a file that was edited meanwhile is not in the image */
export async function rememberInputs(record: ImageRecord, inputs: Inputs): Promise<void> {
  const file = memory(record);
  const now = JSON.stringify(inputs);
  const before = (await rememberedInputs(record)).map((inputs) => JSON.stringify(inputs));
  const all = [now, ...before.filter((each) => each !== now)].slice(0, KEEP);
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, `[${all.join(",\n")}]\n`);
}

/** All that the record was built from on this machine, the newest first; empty where it was built elsewhere. */
export async function rememberedInputs(record: ImageRecord): Promise<Inputs[]> {
  const file = memory(record);
  if (!existsSync(file)) return [];
  const remembered: unknown = JSON.parse(await readFile(file, "utf8"));
  return Array.isArray(remembered) ? (remembered as Inputs[]) : [];
}
