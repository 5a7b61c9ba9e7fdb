// Files of npm's registry, through npm itself: it knows which registry, credentials, proxy and certificates this machine uses.

import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { createHash } from "node:crypto";
import { chmod, mkdir, open, rename, rm, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { WaybillError, run } from "@waybill/oci";
import { z } from "zod";
import { contentOfIntegrity } from "../cache.ts";
import type { FileRequest } from "../declaration.ts";
import type { LockedFile } from "../schema.ts";

const version = z.object({
  name: z.string(),
  version: z.string(),
  "dist.integrity": z.string(),
  os: z.union([z.string(), z.array(z.string())]).optional(),
  cpu: z.union([z.string(), z.array(z.string())]).optional(),
});
const versions = z.union([z.array(version), version.transform((one) => [one])]);

const CPU_PLATFORMS: Record<string, string> = {
  x64: "linux/amd64",
  arm64: "linux/arm64",
  arm: "linux/arm/v7",
  ppc64: "linux/ppc64le",
  s390x: "linux/s390x",
};

/**
 * The newest version that `request` allows.
 * @throws {WaybillError} npm knows no such package or version, or can't reach its registry
 */
export async function resolveNpm({ name, version: wanted }: FileRequest): Promise<LockedFile> {
  const spec = `${name}@${wanted}`;
  const fields = ["name", "version", "dist.integrity", "os", "cpu"];
  const { exitCode, stdout, stderr } = await run("npm", ["view", spec, ...fields, "--json"]);
  if (exitCode !== 0 || stdout.trim() === "") throw npmError(`npm has no ${spec}`, stdout + stderr);
  const found = versions
    .parse(JSON.parse(stdout))
    .sort((a, b) => compareVersions(a.version, b.version))
    .at(-1);
  if (found === undefined) throw npmError(`npm has no ${spec}`, stderr);
  const platform = CPU_PLATFORMS[[found.cpu ?? ""].flat()[0] ?? ""];
  const file = `${name.replace("@", "").replace("/", "-")}-${found.version}.tgz`;
  const pin = { kind: "npm", name, version: found.version, file, integrity: found["dist.integrity"] } as const;
  return platform === undefined ? pin : { ...pin, platform };
}

/**
 * Downloads a pinned tarball to `file`.
 * @throws {WaybillError} npm can't get it, or it has other bytes than locked
 */
export async function downloadNpm(pin: LockedFile, file: string, signal?: AbortSignal): Promise<void> {
  const folder = join(dirname(file), `.${randomUUID()}.tmp`);
  await mkdir(folder, { recursive: true });
  try {
    const spec = `${pin.name}@${pin.version}`;
    const args = ["pack", spec, "--pack-destination", folder, "--ignore-scripts", "--json"];
    const { exitCode, stdout, stderr } = await run("npm", args, { signal });
    if (exitCode !== 0) throw npmError(`npm could not get ${spec}`, stdout + stderr);
    await verify(join(folder, pin.file), pin);
    await settle(join(folder, pin.file));
    await rename(join(folder, pin.file), file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function verify(file: string, { name, version: locked, integrity }: LockedFile): Promise<void> {
  const hash = createHash("sha512");
  await pipeline(createReadStream(file), hash);
  if (hash.digest("hex") === contentOfIntegrity(integrity).hex) return;
  throw new WaybillError(`wrong bytes: npm's ${name}@${locked} hasn't the locked integrity ${integrity}`, {
    mend: "the registry in use serves another file; compare `npm config get registry` with the public one",
  });
}

async function settle(file: string): Promise<void> {
  await chmod(file, 0o644);
  await utimes(file, 0, 0);
  const handle = await open(file, "r");
  await handle.sync().finally(() => handle.close());
}

function npmError(what: string, output: string): WaybillError {
  const reason = /npm error (?:code )?(.*)/.exec(output)?.[1];
  return new WaybillError(reason === undefined ? what : `${what} (${reason})`, {
    mend: "try `npm view` with the same name",
  });
}

/** Orders release versions by their numbers; a pre-release stands before its release (semver 2.0, 11). */
function compareVersions(a: string, b: string): number {
  const [coreA = "", preA] = a.split(/-(.*)/s);
  const [coreB = "", preB] = b.split(/-(.*)/s);
  const byCore = coreA.localeCompare(coreB, "en", { numeric: true });
  if (byCore !== 0) return byCore;
  if (preA === undefined || preB === undefined) return Number(preA === undefined) - Number(preB === undefined);
  return preA.localeCompare(preB, "en", { numeric: true });
}
