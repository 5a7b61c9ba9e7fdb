// buildah has no daemon, but leaves mounts: of containers whose build was killed, and of its storage folder itself.

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "@waybill/oci";
import { containersConf } from "./containers-conf.ts";
import { socketFolder } from "./home.ts";
import { onPath } from "./on-path.ts";

/** Gives back what buildah holds in Waybill's cache folder, so that the folder can be deleted. Not while something builds. */
export async function releaseBuildah(): Promise<void> {
  const { storage } = containersConf;
  if (!existsSync(storage()) || onPath("buildah") === undefined) return;
  await run("buildah", ["rm", "--all"], { env: containersConf.env() });
  // Fails where nothing is mounted, which is what is wanted.
  await run("umount", ["--recursive", "--lazy", join(storage(), "overlay")]);
  await rm(`${socketFolder()}-bases`, { recursive: true, force: true });
}
