// Which foreign platforms the kernel of this machine runs through an emulator (binfmt_misc, as Debian's qemu-user-static registers it).

import { readFileSync } from "node:fs";

const FOLDER = "/proc/sys/fs/binfmt_misc";

/** qemu's name of the machine, by platform. */
const MACHINES: Record<string, string> = { "linux/amd64": "x86_64", "linux/arm64": "aarch64" };

/** @param folder of binfmt_misc, for tests */
export function emulatedPlatforms(folder = FOLDER): string[] {
  return Object.keys(MACHINES).filter((platform) => isEmulated(`${folder}/qemu-${MACHINES[platform]}`));
}

/** Containers lack the emulator's file: it must have been opened when it was registered, which is the flag F. */
function isEmulated(entry: string): boolean {
  try {
    const text = readFileSync(entry, "utf8");
    return text.startsWith("enabled") && /^flags: \w*F/m.test(text);
  } catch {
    return false;
  }
}
