// Rules for the built image, from its record and the store's layers: one pass over each layer, streaming.

import type { ImageMetadata } from "@waybill/image";
import { readTree } from "@waybill/oci";
import type { BlobStore, ImageRecord, PlatformRecord, TreeEntry } from "@waybill/oci";
import { configFindings } from "./config-rules.ts";
import type { Exceptions } from "./exceptions.ts";
import { FILE_RULES } from "./file-rules.ts";
import type { FileRule } from "./file-rules.ts";
import type { Finding } from "./finding.ts";
import { secretHeadBytes } from "./secrets.ts";

/** A rule that many files break is told by its first few. */
const SHOWN = 5;

export interface ImageFacts extends Pick<ImageMetadata, "user" | "healthcheck"> {
  /** The Dockerfile, as findings name it. */
  file: string;
  exceptions: Exceptions;
}

/**
 * Findings on every platform and variant of an image.
 * @throws {WaybillError} a layer isn't in the store, or is damaged
 */
export async function imageFindings(record: ImageRecord, store: BlobStore, facts: ImageFacts): Promise<Finding[]> {
  const variants = Object.entries(record.variants).map(([name, { platforms }]) => ({ label: `${name}, `, platforms }));
  const several = record.platforms.length > 1;
  const findings: Finding[] = [];
  for (const { label, platforms } of [{ label: "", platforms: record.platforms }, ...variants]) {
    for (const image of platforms) {
      const found = [...configFindings(image, facts, facts.file), ...(await fileFindings(image, store, facts))];
      const suffix = label === "" && !several ? "" : ` (${label}${image.platform})`;
      findings.push(...found.map((each) => ({ ...each, message: each.message + suffix })));
    }
  }
  return findings;
}

async function fileFindings(image: PlatformRecord, store: BlobStore, facts: ImageFacts): Promise<Finding[]> {
  const runsAs = { platform: image.platform, root: facts.user !== undefined };
  const found = new Map<FileRule, Finding[]>(FILE_RULES.map((rule) => [rule, []]));
  const judge = (entry: TreeEntry, everyLayer: boolean): void => {
    for (const rule of FILE_RULES) {
      const message = rule.everyLayer === everyLayer ? rule.judge(entry, runsAs) : undefined;
      const one = message === undefined ? undefined : finding(rule, entry, message, image);
      if (one !== undefined && !facts.exceptions.covers(one)) found.get(rule)?.push(one);
    }
  };
  const options = { headBytes: secretHeadBytes, onEntry: (entry: TreeEntry) => judge(entry, true) };
  const tree = await readTree(store, image.layers, options);
  for (const entry of tree.values()) judge(entry, false);
  return [...found.values()].flatMap(shortened);
}

function finding(
  { rule, mend }: FileRule,
  { path, layer }: TreeEntry,
  message: string,
  image: PlatformRecord,
): Finding {
  const step = image.layers[layer]?.createdBy ?? "";
  const from = `layer ${layer}${step === "" ? "" : `, ${step.replace(/\s+/g, " ").slice(0, 60)}`}`;
  return { rule, file: `/${path}`, message: `${message}; ${from}`, mend, severity: "error" };
}

function shortened(findings: readonly Finding[]): Finding[] {
  const more = findings.length - SHOWN;
  if (more <= 0) return [...findings];
  return findings
    .slice(0, SHOWN)
    .map((one, index) => (index < SHOWN - 1 ? one : { ...one, message: `${one.message}; and ${more} more like it` }));
}
