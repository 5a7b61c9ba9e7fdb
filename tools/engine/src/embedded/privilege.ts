// How the private engine becomes root: it is, or sudo lets it without asking, as nobody may be there to type a password.

import { spawnSync } from "node:child_process";
import { onPath } from "../on-path.ts";

const isRoot = (): boolean => process.getuid?.() === 0;

/** A command line that runs `argv` as root. `keep` names variables that sudo shall not drop. */
export function asRoot(argv: readonly string[], keep: readonly string[] = []): [string, ...string[]] {
  if (isRoot()) return argv as [string, ...string[]];
  const env = keep.length > 0 ? [`--preserve-env=${keep.join(",")}`] : [];
  return ["sudo", "-n", ...env, "--", ...argv];
}

let allowed: boolean | undefined;

/** Whether `asRoot` would work now. Asks sudo, once in this process: some 10 ms. */
export function mayBeRoot(): boolean {
  allowed ??= isRoot() || (onPath("sudo") !== undefined && spawnSync("sudo", ["-n", "true"]).status === 0);
  return allowed;
}
