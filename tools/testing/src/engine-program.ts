// Programs of container engines, for tests that run one of their own: those of the system, or of Waybill's private engine.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { availability, embeddedPaths, installEmbedded, onPath } from "@waybill/engine";

/**
 * @param name "containerd", "ctr", "dockerd", "docker", "buildkitd"
 * @returns its path; undefined where there is none, or this user can't run one
 */
export async function engineProgram(name: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const { root } = embeddedPaths();
  if (availability("embedded").usable) await installEmbedded((line) => console.warn(line));
  const own = ["usr/bin", "usr/sbin"].map((folder) => join(root, folder, name)).find((file) => existsSync(file));
  return own ?? onPath(name);
}
