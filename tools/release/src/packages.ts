// What this repo releases: its images and its charts, each by the package.json that carries its version.

import { readFile } from "node:fs/promises";
import { join, matchesGlob, relative } from "node:path";
import { findCharts } from "@waybill/chart";
import { findImages } from "@waybill/image";
import { WaybillError, check, parseJson, parseReference } from "@waybill/oci";
import { z } from "zod";

const packageFile = z.looseObject({ name: z.string(), version: z.string() });

export interface Releasable {
  kind: "image" | "chart";
  /** "@waybill/agent". */
  package: string;
  /** "agent". */
  name: string;
  /** Relative to the workspace. */
  folder: string;
  version: string;
  /** Of an image: its path in the registry. */
  repository?: string;
}

/** By package, without those that the changesets configuration ignores: what only tests use is no release. @throws {WaybillError} one that can't be read, or has no version */
export async function releasables(root: string): Promise<Map<string, Releasable>> {
  const found: Releasable[] = [];
  for (const [name, { folder, metadata }] of await findImages(root)) {
    const repository = metadata.repository ?? name;
    found.push({ kind: "image", name, repository, ...(await packageOf(root, folder)) });
  }
  for (const { name, folder } of findCharts(root))
    found.push({ kind: "chart", name, ...(await packageOf(root, folder)) });
  const ignored = await ignoredBy(root);
  const kept = found.filter(({ package: name }) => !ignored.some((pattern) => matchesGlob(name, pattern)));
  // Images before the charts that name them, each by name: plans read the same wherever folders lie.
  kept.sort((a, b) => (a.kind === b.kind ? (a.name < b.name ? -1 : 1) : a.kind === "image" ? -1 : 1));
  return new Map(kept.map((each) => [each.package, each]));
}

async function ignoredBy(root: string): Promise<string[]> {
  const file = join(root, ".changeset/config.json");
  const text = await readFile(file, "utf8").catch(() => "{}");
  return check(z.looseObject({ ignore: z.array(z.string()).default([]) }), parseJson(text, file), file).ignore;
}

/** Where this repo's own images are pushed, in one spelling. @param registry "ghcr.io/acme/images" */
export async function ownRepositories(root: string, registry: string): Promise<Map<string, Releasable>> {
  const images = [...(await releasables(root)).values()].filter(({ kind }) => kind === "image");
  return new Map(
    images.map((image) => {
      const named = parseReference(`${registry}/${image.repository}`);
      return [`${named.registry}/${named.repository}`, image];
    }),
  );
}

async function packageOf(root: string, folder: string) {
  const file = join(folder, "package.json");
  const mend = "write one with a name and a version: releases count by it";
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new WaybillError(`no package.json (${cause.code})`, { where: relative(root, file), mend, cause });
  });
  const { name, version } = check(packageFile, parseJson(text, file), relative(root, file), mend);
  return { package: name, version, folder: relative(root, folder) };
}
