// Runs the vitest files of a folder and leaves the counts in dist/test.json, which .ci/run adds up.

import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { workspaceRoot } from "@waybill/image/workspace";
import { run, writeFileAtomic } from "@waybill/oci";
import { z } from "zod";

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const report = z.looseObject({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  success: z.boolean(),
});

export async function hasTests(folder: string): Promise<boolean> {
  if (!existsSync(join(folder, "test"))) return false;
  return (await readdir(join(folder, "test"), { recursive: true })).some((name) => name.endsWith(".test.ts"));
}

/** @returns the counts; a run that broke down before it counted is one failure */
export async function runVitest(folder: string): Promise<Counts> {
  const output = join(folder, "dist", "vitest.json");
  await mkdir(join(folder, "dist"), { recursive: true });
  await rm(output, { force: true });
  const root = workspaceRoot();
  const args = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", root, "--dir", join(folder, "test")];
  args.push("--reporter=default", "--reporter=json", `--outputFile.json=${output}`, "--passWithNoTests=false");
  const { exitCode } = await run(process.execPath, args, { cwd: root, stdio: "inherit" });
  const text = await readFile(output, "utf8").catch(() => undefined);
  await rm(output, { force: true });
  if (text === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, success } = report.parse(JSON.parse(text));
  const failed = numFailedTests === 0 && (!success || exitCode !== 0) ? 1 : numFailedTests;
  return { passed: numPassedTests, failed, skipped: numPendingTests };
}

export function add(...all: Counts[]): Counts {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of all) {
    sum.passed += passed;
    sum.failed += failed;
    sum.skipped += skipped;
  }
  return sum;
}

export async function leaveCounts(folder: string, counts: Counts): Promise<0 | 1> {
  await mkdir(join(folder, "dist"), { recursive: true });
  await writeFileAtomic(join(folder, "dist", "test.json"), `${JSON.stringify(counts)}\n`);
  return counts.failed === 0 ? 0 : 1;
}
