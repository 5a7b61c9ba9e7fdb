// Upstream programs in Go: a go.mod of ours that requires the module. It is their lock, go.sum verifies them, and Go itself moves it.

import { cp, glob, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { WaybillError, run } from "@waybill/oci";
import type { Change } from "../changes.ts";

export interface GoModule {
  /** Of the go.mod, relative to the image's: "src". */
  folder: string;
  /** "sigs.k8s.io/container-object-storage-interface". */
  path: string;
  /** "v0.2.2". */
  version: string;
}

export interface MovedModule {
  /** Of everything that go.mod requires, the module itself first. */
  changes: Change[];
  /** Relative to the image's folder, with their new text. */
  files: Map<string, string>;
}

export interface MoveOptions {
  /** "0.2.3" or "v0.2.3"; absent: the newest release. */
  to?: string | undefined;
  /** The program `go`, and what its environment has beside ours. */
  go: string;
  env?: Record<string, string> | undefined;
  signal?: AbortSignal | undefined;
}

/** Where the image requires `path`. @returns undefined where no go.mod of it does */
export async function goModule(imageFolder: string, path: string): Promise<GoModule | undefined> {
  for await (const file of glob("src/**/go.mod", { cwd: imageFolder })) {
    const version = requirements(await readFile(join(imageFolder, file), "utf8")).get(path);
    if (version !== undefined) return { folder: dirname(file), path, version };
  }
  return undefined;
}

/**
 * What go.mod and go.sum become with another version of the module. Replacements by modules of the same version, such as upstream's
 * own parts, move with it. Nothing in the image's folder is touched.
 * @throws {WaybillError} upstream has no such version, it lacks the program, or Go can't be asked
 */
export async function moveModule(imageFolder: string, module: GoModule, options: MoveOptions): Promise<MovedModule> {
  const scratch = await mkdtemp(join(tmpdir(), "waybill-go-"));
  const cwd = join(scratch, "image", module.folder);
  const go = goIn(cwd, options);
  try {
    await cp(join(imageFolder, module.folder), cwd, { recursive: true });
    const version = await resolved(module, options, goIn(scratch, options));
    const before = await readFile(join(cwd, "go.mod"), "utf8");
    if (version === module.version) return { changes: [], files: new Map() };
    const moved = replacements(before, module);
    await go(["mod", "download", `${module.path}@${version}`, ...moved.map(({ by }) => `${by}@${version}`)]);
    const edits = moved.map(({ from, by }) => `-replace=${from}=${by}@${version}`);
    await go(["mod", "edit", `-require=${module.path}@${version}`, ...edits]);
    const programs = programsOf(before);
    // Where nothing is compiled and upstream's files are all that is wanted, tidy would find the module needless.
    await (programs.length === 0 ? go(["mod", "download", module.path]) : tidy(go, before));
    for (const program of programs) await go(["list", "-mod=readonly", "-find", program]);
    const after = await readFile(join(cwd, "go.mod"), "utf8");
    const sums = without(await readFile(join(cwd, "go.sum"), "utf8"), module);
    const files = new Map([
      [join(module.folder, "go.mod"), after],
      [join(module.folder, "go.sum"), sums],
    ]);
    return { changes: changesOf(module, before, after), files };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The sums less those of the version that was left: tidy does so where it runs. */
const without = (sums: string, { path, version }: GoModule): string =>
  sums
    .split("\n")
    .filter((line) => !line.startsWith(`${path} ${version}`))
    .join("\n");

type Go = (args: readonly string[], accept?: (stderr: string) => boolean) => Promise<string>;

function goIn(cwd: string, { go, env, signal }: MoveOptions): Go {
  const own = { GOFLAGS: "-mod=mod", GOWORK: "off", GOTOOLCHAIN: "local", ...env };
  return async (args, accept = () => true) => {
    const { exitCode, stdout, stderr } = await run(go, args, { cwd, env: own, signal });
    if (exitCode === 0 && accept(stderr)) return stdout;
    throw new WaybillError(`go ${args.slice(0, 2).join(" ")}: ${reasonIn(stderr)}`);
  };
}

const WORKING = /^go: (downloading|finding|added|upgraded|downgraded|removed) /;

/** Go's reason, which comes among the lines that tell what it does. */
function reasonIn(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "" && !WORKING.test(line));
  const [first = "no reason given", next] = lines;
  return `${first.replace(/^go: /, "")}${next?.startsWith("\t") ? ` (${next.trim()})` : ""}`;
}

/**
 * Code that the build makes (a local replacement) isn't there: -e goes on without it, and what it imports is required by name. What
 * can't be had of others must not be left out as well.
 */
async function tidy(go: Go, text: string): Promise<void> {
  const local = [...text.matchAll(/^\s*(?:replace\s+)?(\S+)(?:\s+v\S+)?\s+=>\s+\.\.?\//gm)].map(
    ([, path]) => path ?? "",
  );
  const args = ["mod", "tidy", ...(local.length > 0 ? ["-e"] : [])];
  await go(args, (stderr) => !/: (?:reading|verifying|fetching) /.test(stderr));
  // They are required as before, which tidy can't see.
  const required = requirements(text);
  for (const path of local) {
    const version = required.get(path);
    if (version !== undefined) await go(["mod", "edit", `-require=${path}@${version}`]);
  }
}

/** By the module proxy. A folder without go.mod asks about the module alone. */
async function resolved({ path, version }: GoModule, { to }: MoveOptions, go: Go): Promise<string> {
  const asked = to === undefined ? "latest" : to.replace(/^(?=\d)/, "v");
  try {
    const found = (await go(["list", "-m", "-f", "{{.Version}}", `${path}@${asked}`])).trim();
    // What is pinned may be newer than the newest release: a commit, or a release candidate.
    return to === undefined && version.includes("-") ? version : found;
  } catch (cause) {
    const known = await go(["list", "-m", "-f", '{{join .Versions " "}}', "-versions", path]).catch(() => "");
    const newest = known.trim().split(" ").slice(-5).reverse().join(", ");
    const why = cause instanceof Error ? cause.message : "";
    const mend = newest === "" ? "see whether GOPROXY has it" : `its newest are ${newest}`;
    throw new WaybillError(`no ${asked} of ${path} (${why})`, { mend, cause });
  }
}

function replacements(text: string, { path, version }: GoModule): { from: string; by: string }[] {
  const lines = [...text.matchAll(/^\s*(?:replace\s+)?(\S+)\s+=>\s+(\S+)\s+(\S+)$/gm)];
  return lines.flatMap(([, from = "", by = "", at]) =>
    by.startsWith(`${path}/`) && at === version ? [{ from, by }] : [],
  );
}

/** The packages that `tool` names. */
function programsOf(text: string): string[] {
  const single = [...text.matchAll(/^tool\s+([^\s(]+)$/gm)].map(([, name]) => name as string);
  const block = /^tool\s+\(([^)]*)\)/m.exec(text)?.[1]?.trim().split(/\s+/) ?? [];
  return [...single, ...block];
}

/** Versions by module. */
function requirements(text: string): Map<string, string> {
  const required = text.replaceAll(/^(?:replace|exclude|retract|tool)\s+\([^)]*\)/gm, "");
  const lines = required.matchAll(/^(?:require)?\s*([^\s(]+\.[^\s(]+)\s+(v\S+)(?:\s*\/\/.*)?$/gm);
  return new Map([...lines].map(([, path = "", version = ""]) => [path, version]));
}

function changesOf({ folder, path }: GoModule, before: string, after: string): Change[] {
  const [olds, news] = [requirements(before), requirements(after)];
  const names = [...new Set([...olds.keys(), ...news.keys()])].sort();
  const changes = names.flatMap((name): Change[] => {
    const [from, to] = [olds.get(name), news.get(name)];
    if (from === to) return [];
    return [{ part: "modules", set: folder, name, ...(from && { old: from }), ...(to && { new: to }) }];
  });
  return changes.sort((a, b) => Number(b.name === path) - Number(a.name === path));
}
