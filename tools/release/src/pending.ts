// What the changesets of the repo ask for, as the changesets command line works it out.

import { readdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WaybillError, check, parseJson, run } from "@waybill/oci";
import { z } from "zod";

const releasePlan = z.object({
  changesets: z.array(z.object({ id: z.string(), summary: z.string() })),
  releases: z.array(
    z.object({
      name: z.string(),
      type: z.enum(["major", "minor", "patch", "none"]),
      oldVersion: z.string(),
      newVersion: z.string(),
      changesets: z.array(z.string()),
    }),
  ),
});

export interface Bump {
  package: string;
  type: "major" | "minor" | "patch";
  from: string;
  to: string;
  /** The changesets' own words; empty for a package that follows one that it is made of. */
  notes: string[];
}

/** @throws {WaybillError} a changeset that can't be read, in the words of the changesets command line */
export async function pendingBumps(root: string): Promise<Bump[]> {
  const files = await readdir(join(root, ".changeset")).catch(() => [] as string[]);
  if (!files.some((file) => file.endsWith(".md") && file !== "README.md")) return [];
  const { changesets, releases } = await statusOf(root);
  const summaries = new Map(changesets.map(({ id, summary }) => [id, summary]));
  return releases.flatMap(({ name, type, oldVersion, newVersion, changesets: ids }) =>
    type === "none"
      ? []
      : [{ package: name, type, from: oldVersion, to: newVersion, notes: ids.map((id) => summaries.get(id) ?? id) }],
  );
}

async function statusOf(root: string): Promise<z.output<typeof releasePlan>> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-release-"));
  try {
    const file = join(folder, "status.json");
    await changeset(root, ["status", `--output=${file}`]);
    return check(releasePlan, parseJson(await readFile(file, "utf8"), file), ".changeset");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the changesets command line of this workspace. @throws {WaybillError} what it says */
export async function changeset(root: string, args: readonly string[]): Promise<void> {
  const program = join(import.meta.dirname, "../../../node_modules/@changesets/cli/bin.js");
  // Node warns on stderr where both colours are asked for and refused, and that would be taken for the reason of a failure.
  const env = { NO_COLOR: "1", FORCE_COLOR: undefined };
  const { exitCode, stdout, stderr } = await run(process.execPath, [program, ...args], { cwd: root, env });
  if (exitCode === 0) return;
  const said = `${stderr}\n${stdout}`
    .split("\n")
    .map((line) => line.replace(/^[^\p{L}\p{N}"`@]+/u, "").trim())
    .find((line) => line !== "" && !line.startsWith("changeset v") && !line.startsWith("at "));
  throw new WaybillError(`changeset ${args[0]}: ${said ?? `exit ${exitCode}`}`, { where: ".changeset" });
}
