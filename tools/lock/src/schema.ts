// The shape of image.lock.json: every upstream thing an image takes, by exact version and hash.

import { z } from "zod";
import { setName } from "./declaration.ts";
import { sourceRepository, sourceVersion } from "./source/declaration.ts";

export const LOCK_FILE = "image.lock.json";

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, "a sha256 is 64 hexadecimal digits");

/** One Debian binary package. `path` is below the archive's root, so that any mirror serves it. */
const debianPackage = z.strictObject({
  name: z.string().min(1),
  version: z.string().min(1),
  /** Debian's name, or "all". */
  arch: z.string().min(1),
  sha256: sha256Hex,
  /** Bytes. */
  size: z.int().nonnegative(),
  path: z.string().regex(/^pool\/[\x21-\x7e]+\.deb$/, 'a path is "pool/….deb" below the archive'),
});

const packageList = z.array(debianPackage);

/** The keys are Debian's names of architectures, with "suite" (and "suites" it also takes from) beside them. */
const packageSet = z.strictObject({
  suite: z.string().min(1),
  suites: z.array(z.string()).optional(),
  amd64: packageList.optional(),
  arm64: packageList.optional(),
  armhf: packageList.optional(),
  i386: packageList.optional(),
  ppc64el: packageList.optional(),
  riscv64: packageList.optional(),
  s390x: packageList.optional(),
});

/** One file of a package registry. `integrity`: SRI sha512 for npm, lower-case hexadecimal sha256 for PyPI. */
const lockedFile = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("npm"),
    name: z.string().min(1),
    version: z.string().min(1),
    file: z.string().regex(/^[^/]+\.tgz$/),
    integrity: z.string().regex(/^sha512-[A-Za-z0-9+/]{86}==$/, "npm's integrity is sha512-<base64>"),
    platform: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal("pypi"),
    name: z.string().min(1),
    version: z.string().min(1),
    file: z.string().regex(/^[^/]+$/),
    integrity: sha256Hex,
    platform: z.string().optional(),
  }),
]);

const gitHash = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, "a git hash is 40 or 64 hexadecimal digits");

/** One commit of an upstream repository. What it is built from is known from its Dockerfile without fetching anything. */
const lockedSource = z.strictObject({
  repository: sourceRepository,
  version: sourceVersion,
  commit: gitHash,
  /** Of the commit, submodules included by their commits. */
  tree: gitHash,
  /** Upstream's, patched, line by line: a change of it shows in the lock's diff. */
  dockerfile: z.array(z.string()).min(1),
});

export const imageLock = z
  .strictObject({
    lockVersion: z.literal(1),
    source: lockedSource.optional(),
    packages: z.record(setName, packageSet).default({}),
    files: z.record(setName, z.array(lockedFile)).default({}),
    /** Reference of an image that isn't of this repo, as the Dockerfile has it, to its index or manifest digest. */
    bases: z.record(z.string().min(1), z.string().regex(/^sha256:[0-9a-f]{64}$/)).default({}),
  })
  .meta({ title: "image.lock.json", description: "Upstream pins of one Waybill image; written by `waybill lock`" });

export type DebianPackage = z.output<typeof debianPackage>;
export type PackageSet = z.output<typeof packageSet>;
export type LockedFile = z.output<typeof lockedFile>;
export type LockedSource = z.output<typeof lockedSource>;
export type ImageLock = z.output<typeof imageLock>;

type Lists = Omit<PackageSet, "suite" | "suites">;

/** A set's packages by Debian architecture. */
export function listsOf(set: PackageSet): [arch: keyof Lists, list: DebianPackage[]][] {
  const entries = Object.entries(set).filter(([key]) => key !== "suite" && key !== "suites");
  return entries as [keyof Lists, DebianPackage[]][];
}

/** The JSON Schema editors use; schema/image.lock.schema.json is this, checked in a test. */
export function lockJsonSchema(): unknown {
  return z.toJSONSchema(imageLock, { io: "input" });
}
