// git as Waybill runs it: never asks, never runs what a repository brings along, and its failures are one line with a mend.

import { type RunOptions, type RunResult, WaybillError, run } from "@waybill/oci";

/** The user's own configuration counts (credentials, proxies, insteadOf), except for what would change files or run programs. */
const SETTINGS = [
  "core.autocrlf=false",
  "core.symlinks=true",
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "advice.detachedHead=false",
  "init.defaultBranch=main",
  "protocol.ext.allow=never",
  // What upstream keeps in LFS stays a pointer: no server but git's is asked.
  "filter.lfs.smudge=",
  "filter.lfs.process=",
  "filter.lfs.required=false",
  // A server that says nothing for a minute is gone.
  "http.lowSpeedLimit=1000",
  "http.lowSpeedTime=60",
];

/** Of a hook or another git around us, which would make git work there. */
const FOREIGN = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"];

export function git(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const env = {
    ...Object.fromEntries(FOREIGN.map((name) => [name, undefined])),
    GIT_TERMINAL_PROMPT: "0",
    GIT_SSH_COMMAND: process.env["GIT_SSH_COMMAND"] ?? "ssh -o BatchMode=yes",
    GIT_LFS_SKIP_SMUDGE: "1",
    LC_ALL: "C",
    ...options.env,
  };
  return run("git", [...SETTINGS.flatMap((setting) => ["-c", setting]), ...args], { ...options, env });
}

/** The same where a failure is one of the repository's. @throws {WaybillError} that names it */
export async function gitAt(repository: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await git(args, options);
  if (result.exitCode !== 0) throw explainGit(result.stderr, repository);
  return result.stdout;
}

const RULES: [pattern: RegExp, what: string, mend: string][] = [
  [
    /Authentication failed|could not read (?:Username|Password)|Permission denied|terminal prompts disabled|error: 40[13]/i,
    "the git server wants credentials",
    "give them to git (a credential helper, an ssh key): `git ls-remote` must work",
  ],
  [
    /Could not resolve host|Failed to connect|Couldn't connect|Connection (?:refused|reset|timed out)|Operation too slow|early EOF|RPC failed|error: 5\d\d/i,
    "the git server can't be reached",
    "try again; where there is no way to it, a git bundle in the image's folder serves as well",
  ],
  [
    /not found|does not appear to be a git repository|does not exist|no such file/i,
    "there is no git repository",
    "check metadata.image.source.repository in project.json",
  ],
];

/** What git printed, as one line. */
export function explainGit(stderr: string, repository: string): WaybillError {
  const where = repository;
  const rule = RULES.find(([pattern]) => pattern.test(stderr));
  if (rule !== undefined) return new WaybillError(rule[1], { where, mend: rule[2] });
  const lines = stderr.split(/[\r\n]+/).filter((line) => /^(?:fatal|error): /.test(line));
  const said = (lines.at(-1) ?? stderr.trim().split("\n").at(-1) ?? "").replace(/^(?:fatal|error): /, "");
  return new WaybillError(`git failed${said === "" ? "" : ` (${said})`}`, { where });
}
