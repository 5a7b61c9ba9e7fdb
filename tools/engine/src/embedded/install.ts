// Installs the private engine: Debian's docker packages, pinned in image.lock.json, extracted into the cache folder.

import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { debianArchitecture, fetchPackages, readLock } from "@waybill/lock";
import { WaybillError, run } from "@waybill/oci";
import { hostPlatform } from "../host-platform.ts";
import { onPath } from "../on-path.ts";
import { withLock } from "../lock-file.ts";
import { embeddedPaths, isInstalled } from "./paths.ts";
import { asRoot } from "./privilege.ts";

const LOCK_FOLDER = fileURLToPath(new URL("../..", import.meta.url));

/** Fetches and extracts the engine, once. Says what it does through `say`. */
export async function installEmbedded(say: (line: string) => void): Promise<void> {
  if (isInstalled()) return;
  const paths = embeddedPaths();
  await mkdir(dirname(paths.root), { recursive: true });
  await withLock(`${paths.root}.lock`, async () => {
    if (isInstalled()) return;
    await ensureRunc(say);
    say("installing a private container engine (Debian's docker.io, containerd and buildx; about 80 MB, once)");
    const lock = await readLock(LOCK_FOLDER);
    const set = lock.packages["engine"];
    const arch = debianArchitecture(hostPlatform());
    if (set === undefined || arch === undefined)
      throw new WaybillError(`there is no private engine for ${hostPlatform()}`);
    const { folder } = await fetchPackages(set, arch, { onProgress: say });
    await extract(folder, paths.root);
  });
}

async function extract(packages: string, root: string): Promise<void> {
  const fresh = `${root}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  for (const name of (await readdir(packages)).filter((file) => file.endsWith(".deb"))) {
    await run("dpkg-deb", ["--extract", join(packages, name), fresh], { check: true });
  }
  const { config } = embeddedPaths();
  const plugin = join(config, "cli-plugins", "docker-buildx");
  mkdirSync(dirname(plugin), { recursive: true });
  rmSync(plugin, { force: true });
  symlinkSync(join(root, "usr/libexec/docker/cli-plugins/docker-buildx"), plugin);
  writeFileSync(join(fresh, ".complete"), "");
  rmSync(root, { recursive: true, force: true });
  renameSync(fresh, root);
}

/** runc stays the system's: trixie's needs a newer glibc than Debian 12 has. */
async function ensureRunc(say: (line: string) => void): Promise<void> {
  if (onPath("runc") || existsSync("/usr/sbin/runc")) return;
  say("installing runc (apt-get install runc)");
  const install = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "--no-install-recommends"];
  const [command, ...args] = asRoot([...install, "runc"]);
  const result = await run(command, args);
  if (result.exitCode !== 0) throw new WaybillError("runc is missing", { mend: "sudo apt-get install runc" });
}
