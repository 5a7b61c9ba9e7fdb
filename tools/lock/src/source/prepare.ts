// Upstream's files as the build gets them: with the image's patches, and with a Dockerfile that asks no registry for its own
// syntax.

import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { cp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { WaybillError } from "@waybill/oci";
import { defaultCacheDir } from "../cache.ts";
import { onDisk } from "../disk.ts";
import type { SourceDeclaration } from "./declaration.ts";
import type { FetchedSource, SourceCommit, SourceOptions } from "./fetch-source.ts";
import { isThere, normalise, sourcesFolder } from "./fetch-source.ts";
import { git } from "./git.ts";
import { patchesOf } from "./patches.ts";

export interface PreparedSource {
  folder: string;
  /** The Dockerfile's lines, as they are built. */
  dockerfile: string[];
}

type Wanted = Pick<SourceDeclaration, "dockerfile"> & Pick<SourceCommit, "repository" | "version">;

/**
 * Applies what the image's folder changes. Where that is nothing, the folder is the fetched one.
 * @throws {WaybillError} a patch doesn't apply: which, and where; there is no Dockerfile
 */
export async function prepareSource(
  fetched: FetchedSource,
  wanted: Wanted,
  options: SourceOptions,
): Promise<PreparedSource> {
  const patches = await patchesOf(options.imageFolder);
  const folder = patches.length === 0 ? fetched.folder : await patched(fetched, patches, wanted, options);
  const lines = await readLines(join(folder, wanted.dockerfile), wanted);
  const plain = withoutSyntax(lines);
  if (plain === lines) return { folder, dockerfile: lines };
  const name = `${folder}-syntax`;
  const changed = await derived(folder, name, options, (fresh) =>
    writeFile(join(fresh, wanted.dockerfile), plain.join("\n")),
  );
  return { folder: changed, dockerfile: plain };
}

async function patched(
  { folder, tree }: FetchedSource,
  patches: readonly string[],
  wanted: Wanted,
  options: SourceOptions,
): Promise<string> {
  const hash = createHash("sha256");
  for (const patch of patches)
    hash.update(
      createHash("sha256")
        .update(await readFile(patch))
        .digest(),
    );
  const name = join(dirname(folder), `${tree}-${hash.digest("hex").slice(0, 16)}`);
  return await derived(folder, name, options, async (fresh) => {
    for (const patch of patches) await apply(patch, fresh, wanted);
    await normalise(fresh);
  });
}

/** A copy with changes, made once. Blocks are shared with the original where the file system can. */
async function derived(
  folder: string,
  name: string,
  { cacheDir = defaultCacheDir() }: SourceOptions,
  change: (fresh: string) => Promise<void>,
): Promise<string> {
  if (await isThere(name)) return name;
  return await onDisk(cacheDir, async () => {
    const fresh = join(sourcesFolder(cacheDir), `.${randomUUID()}.tmp`);
    try {
      const mode = constants.COPYFILE_FICLONE;
      await cp(folder, fresh, { recursive: true, mode, verbatimSymlinks: true, preserveTimestamps: true });
      await change(fresh);
      await rename(fresh, name).catch(async (error: unknown) => {
        if (!(await isThere(name))) throw error; // else another process was first
      });
      return name;
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  });
}

async function apply(patch: string, folder: string, { repository, version }: Wanted): Promise<void> {
  // Inside another repository git would silently skip files that aren't of it.
  const env = { GIT_CEILING_DIRECTORIES: dirname(folder) };
  const { exitCode, stderr } = await git(["apply", "--whitespace=nowarn", patch], { cwd: folder, env });
  if (exitCode === 0) return;
  const place =
    /^error: patch failed: (.+)$/m.exec(stderr)?.[1] ?? /^error: (.+?)(?:: .*)?$/m.exec(stderr)?.[1] ?? "unreadable";
  throw new WaybillError(`the patch doesn't apply to ${repository} ${version} (${place})`, {
    where: relative(process.cwd(), patch),
    mend: "make it again from that version, or delete it where upstream has the change",
  });
}

async function readLines(file: string, { repository, version, dockerfile }: Wanted): Promise<string[]> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new WaybillError(`${repository} ${version} has no file ${dockerfile}`, {
      mend: "name upstream's Dockerfile in metadata.image.source.dockerfile of project.json",
      cause,
    });
  });
  return text.split("\n");
}

/** A `# syntax=` line makes BuildKit pull that image first. It becomes a remark, so that line numbers stay. */
function withoutSyntax(lines: string[]): string[] {
  const at = lines.findIndex((line) => !/^\s*#/.test(line));
  const directive = lines.slice(0, at < 0 ? undefined : at).findIndex((line) => /^#\s*syntax\s*=/i.test(line));
  if (directive < 0) return lines;
  return lines.with(directive, `# left out: ${lines[directive]?.replace(/^#\s*/, "").replace("=", " ")}`);
}
