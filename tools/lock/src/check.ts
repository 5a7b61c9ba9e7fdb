// Does a lock still answer its declaration? Told without asking upstream, so that it may run on every commit.

import { join } from "node:path";
import { debianArchitecture } from "./debian/archive.ts";
import { extraSuitesOf } from "./debian/resolve.ts";
import { parseDebianName, parseFileRequest, readDeclaration } from "./declaration.ts";
import type { Declaration } from "./declaration.ts";
import { LOCK_FILE, readLock } from "./lock-file.ts";
import { listsOf } from "./schema.ts";
import type { ImageLock, LockedSource } from "./schema.ts";

export interface CheckOptions {
  /** References of images that aren't of this repo, as the Dockerfile's FROM lines have them. */
  externalBases?: readonly string[] | undefined;
}

export interface LockFinding {
  /** The lock file. */
  file: string;
  message: string;
}

/**
 * Every difference between what project.json declares and image.lock.json holds; none when the lock is right. `waybill lock`
 * mends them all.
 * @throws {WaybillError} a project.json or image.lock.json that breaks its schema
 */
export async function checkLock(
  imageFolder: string,
  { externalBases = [] }: CheckOptions = {},
): Promise<LockFinding[]> {
  const [declaration, lock] = await Promise.all([readDeclaration(imageFolder), readLock(imageFolder)]);
  const messages = [
    ...checkSource(declaration, lock),
    ...checkPackages(declaration, lock),
    ...checkFiles(declaration, lock),
    ...difference("base", externalBases, Object.keys(lock.bases)),
  ];
  return messages.map((message) => ({ file: join(imageFolder, LOCK_FILE), message }));
}

function checkSource({ source: declared }: Declaration, { source: locked }: ImageLock): string[] {
  const name = (one: Pick<LockedSource, "repository" | "version"> | undefined): string[] =>
    one === undefined ? [] : [`${one.repository} ${one.version}`];
  return difference("source", name(declared), name(locked));
}

function checkPackages({ packages, platforms }: Declaration, lock: ImageLock): string[] {
  const archs = platforms.map(debianArchitecture).filter((arch) => arch !== undefined);
  const findings = difference("package set", Object.keys(packages), Object.keys(lock.packages));
  for (const [name, set] of Object.entries(packages)) {
    const locked = lock.packages[name];
    if (locked === undefined) continue;
    const { suite, suites = [] } = locked;
    if (suite !== set.suite) findings.push(`package set ${name} is locked for ${suite}, declared for ${set.suite}`);
    findings.push(...difference(`suite in set ${name}`, extraSuitesOf(set), suites));
    // More architectures than are declared are welcome: they are built with --platform.
    findings.push(
      ...missing(
        `architecture of package set ${name}`,
        archs,
        listsOf(locked).map(([arch]) => arch),
      ),
    );
    const names = set.debian.map((text) => parseDebianName(text).name);
    for (const [arch, list] of listsOf(locked)) {
      const held = list.map((one) => one.name);
      const label = `package in set ${name} (${arch})`;
      // What an `on` image has is rightly not in the set; without dependencies the set is exactly the names.
      if (set.on === undefined) findings.push(...missing(label, names, held));
      if (!set.dependencies) findings.push(...extra(label, names, held));
    }
  }
  return findings;
}

function checkFiles({ files }: Declaration, lock: ImageLock): string[] {
  const findings = difference("file set", Object.keys(files), Object.keys(lock.files));
  for (const [name, requests] of Object.entries(files)) {
    const locked = lock.files[name];
    if (locked === undefined) continue;
    const wanted = requests.map(parseFileRequest);
    for (const { kind, name: file, version } of wanted) {
      const fits = locked.some((one) => one.kind === kind && one.name === file && isOfSeries(one.version, version));
      if (!fits) findings.push(`file ${kind}:${file}@${version} of set ${name} is not locked`);
    }
    const ids = wanted.map((one) => `${one.kind}:${one.name}`);
    findings.push(
      ...extra(
        `file in set ${name}`,
        ids,
        locked.map((one) => `${one.kind}:${one.name}`),
      ),
    );
  }
  return findings;
}

function isOfSeries(version: string, wanted: string): boolean {
  return version === wanted || version.startsWith(`${wanted}.`);
}

function difference(what: string, declared: readonly string[], locked: readonly string[]): string[] {
  return [...missing(what, declared, locked), ...extra(what, declared, locked)];
}

function missing(what: string, declared: readonly string[], locked: readonly string[]): string[] {
  return [...new Set(declared)].filter((one) => !locked.includes(one)).map((one) => `${what} ${one} is not locked`);
}

function extra(what: string, declared: readonly string[], locked: readonly string[]): string[] {
  return [...new Set(locked)]
    .filter((one) => !declared.includes(one))
    .map((one) => `${what} ${one} is locked, not declared`);
}
