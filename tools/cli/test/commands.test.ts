// How commands are called: names, flags and arguments that mean nothing are told in one line.

import { join } from "node:path";
import { expect, test } from "vitest";
import { type RunResult, run } from "@waybill/oci";

const WAYBILL = join(import.meta.dirname, "../src/waybill.ts");

const waybill = (...args: string[]): Promise<RunResult> => run(process.execPath, [WAYBILL, ...args]);

test.each([
  ["release", ["plan", "version", "publish", "check"]],
  ["cache", ["prune", "stats", "key <file>"]],
  ["engine", ["install", "start", "stop", "status", "prune"]],
  ["mirror", ["pull <list|image>…", "gc"]],
])("waybill %s --help tells of each action", async (name, actions) => {
  const { stdout, exitCode } = await waybill(name, "--help");
  expect(exitCode).toBe(0);
  for (const action of actions) expect(stdout).toMatch(new RegExp(`^  ${action.replace("|", "\\|")} +[a-z]`, "m"));
});

test("the help of an action has its own flags, and none of another's", async () => {
  const { stdout } = await waybill("release", "check", "--help");
  expect(stdout).toContain("waybill release check");
  expect(stdout).toContain("--registry VALUE");
  expect(stdout).not.toContain("--dry-run");
});

test.each([
  [["fly"], 'there is no command "fly": npx waybill help'],
  [["constructor"], 'there is no command "constructor": npx waybill help'],
  [["engine"], "the action is missing: use install, start, stop, status, prune"],
  [["release", "fly"], 'unknown action "fly": use plan, version, publish, check'],
  [["cache", "toString"], 'unknown action "toString": use prune, stats, key'],
  [["cache", "stats", "--keep", "30d"], "Unknown option '--keep': npx waybill cache stats --help"],
  [["release", "check", "--dry-run"], "Unknown option '--dry-run': npx waybill release check --help"],
  [["engine", "status", "now"], "engine status takes no arguments, got now: npx waybill engine status --help"],
  [["doctor", "all", "of", "it"], "doctor takes no arguments, got all of it: npx waybill doctor --help"],
  [["cache", "key", "one", "two"], "one file at a time, got one two"],
])("%j is told in one line", async (args, told) => {
  expect(await waybill(...args)).toMatchObject({ exitCode: 2, stdout: "", stderr: `waybill: ${told}\n` });
});
