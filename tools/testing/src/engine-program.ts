// Programs of container engines, for tests that run one of their own: of Waybill's private engine, or of the system.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { availability, embeddedPaths, installEmbedded, onPath } from "@waybill/engine";

/**
 * @param name "containerd", "ctr", "dockerd", "docker", "buildkitd"
 * @returns its path; undefined where there is none, or this user can't run one
 */
export async function engineProgram(name: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const there = inEngine(name) ?? onPath(name);
  if (there !== undefined || !availability("embedded").usable) return there;
  await installEmbedded((line) => console.warn(line));
  return inEngine(name);
}

function inEngine(name: string): string | undefined {
  const { root } = embeddedPaths();
  return ["usr/bin", "usr/sbin"].map((folder) => join(root, folder, name)).find((file) => existsSync(file));
}
