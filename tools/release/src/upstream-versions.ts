// Versions of images that repackage: upstream's, and which release of it this is ("18.2.7-2"). Changesets counts by semver, where a patch
// of 18.2.7 is 18.2.8, which upstream alone can make: what it wrote is put right (docs/decisions/0013-versions-of-repackaged-images.md).

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "@waybill/oci";

const REVISION = /^(\d+\.\d+\.\d+)-(\d+)$/;

/** "18.2.7-3" after "18.2.7-2", and "18.2.8-1" when upstream is at 18.2.8. */
export function releaseOf(upstream: string, current: string): string {
  const [, of, revision] = REVISION.exec(current) ?? [];
  return `${upstream}-${of === upstream ? Number(revision) + 1 : 1}`;
}

/** "18.2.7" and 2 of "18.2.7-2"; revision 0 for a version of our own counting. */
export function partsOf(version: string): { base: string; revision: number } {
  const [, base, revision] = REVISION.exec(version) ?? [];
  return base === undefined ? { base: version, revision: 0 } : { base, revision: Number(revision) };
}

export interface Counted {
  /** "@waybill/ceph". */
  package: string;
  /** What changesets wrote. */
  counted: string;
  /** What it is. */
  to: string;
}

/**
 * In the package.json and CHANGELOG.md of every folder: the version itself, and where others name it.
 * @param folders absolute, by package
 */
export async function putRight(folders: ReadonlyMap<string, string>, versions: readonly Counted[]): Promise<void> {
  if (versions.length === 0) return;
  for (const [name, folder] of folders) {
    const own = versions.find((each) => each.package === name);
    await rewrite(join(folder, "package.json"), (text) => packageText(text, own, versions));
    await rewrite(join(folder, "CHANGELOG.md"), (text) => changelogText(text, own, versions));
  }
}

async function rewrite(file: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text !== undefined) await writeFileAtomic(file, change(text));
}

/** In the text, so that the file stays as its owner laid it out. */
function packageText(text: string, own: Counted | undefined, versions: readonly Counted[]): string {
  const names = versions.map((each) => ({ ...each, name: each.package }));
  if (own !== undefined) names.push({ ...own, name: "version" });
  return names.reduce((now, { name, counted, to }) => {
    // With what may stand before the version: "^".
    const named = new RegExp(`("${RegExp.escape(name)}":\\s*"[~^]?)${RegExp.escape(counted)}"`, "g");
    return now.replaceAll(named, (_, head: string) => `${head}${to}"`);
  }, text);
}

/** The newest section stands first: its heading, and the lines of those that follow one that it is made of. */
function changelogText(text: string, own: Counted | undefined, versions: readonly Counted[]): string {
  const headed = own === undefined ? text : text.replace(`\n## ${own.counted}\n`, `\n## ${own.to}\n`);
  return versions.reduce(
    (now, { package: name, counted, to }) => now.replace(`- ${name}@${counted}\n`, `- ${name}@${to}\n`),
    headed,
  );
}
