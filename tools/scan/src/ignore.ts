// Vulnerabilities that a team has looked at and lives with: ignored-vulnerabilities.json in an image's folder. Each entry says why and
// until when, so that nothing is hidden for ever; one that has run out, or hides nothing, is a finding itself.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { readDocument } from "@waybill/lock/document";
import { z } from "zod";
import type { Finding } from "./finding.ts";

export const IGNORE_FILE = "ignored-vulnerabilities.json";

const day = z.iso.date("a day is YYYY-MM-DD");

const entry = z.strictObject({
  id: z.string().regex(/^[A-Z][\w-]+$/, "an id is one that a scan shows, such as CVE-2026-1234"),
  /** As a scan shows it; absent: in whatever package. */
  package: z.string().min(1).optional(),
  /** VEX's words for "not affected" (OpenVEX 0.2, "Status Justifications"); absent: affected, and accepted. */
  justification: z
    .enum([
      "component_not_present",
      "vulnerable_code_not_present",
      "vulnerable_code_not_in_execute_path",
      "vulnerable_code_cannot_be_controlled_by_adversary",
      "inline_mitigations_already_exist",
    ])
    .optional(),
  reason: z.string().min(10, "say why, in ten characters or more"),
  /** The last day it counts. */
  until: day,
});

export type Ignored = z.output<typeof entry>;

/** What an image's folder says. @throws {WaybillError} the file breaks its schema: every problem with its line */
export async function readIgnored(folder: string): Promise<Ignored[]> {
  const file = join(folder, IGNORE_FILE);
  return existsSync(file) ? await readDocument(file, z.array(entry)) : [];
}

export interface Sifted {
  kept: Finding[];
  ignored: (Finding & Pick<Ignored, "reason" | "until" | "justification">)[];
  /** Entries that no longer say anything, each in a sentence. */
  problems: string[];
}

/**
 * @param own of the image itself: these must hide something
 * @param inherited of the images it stands on
 * @param today YYYY-MM-DD
 */
export function sift(
  findings: readonly Finding[],
  own: readonly Ignored[],
  inherited: readonly Ignored[],
  today: string,
): Sifted {
  const valid = [...own, ...inherited].filter(({ until }) => until >= today);
  const sifted: Sifted = { kept: [], ignored: [], problems: [] };
  for (const finding of findings) {
    const by = valid.find((each) => hides(each, finding));
    if (by === undefined) sifted.kept.push(finding);
    else {
      const { reason, until, justification } = by;
      sifted.ignored.push({ ...finding, reason, until, ...(justification === undefined ? {} : { justification }) });
    }
  }
  for (const each of own) {
    const label = `${IGNORE_FILE}: ${each.id}${each.package === undefined ? "" : ` of ${each.package}`}`;
    if (each.until < today) sifted.problems.push(`${label} ran out on ${each.until}: look at it again`);
    else if (!findings.some((finding) => hides(each, finding)))
      sifted.problems.push(`${label} hides nothing: take the entry away`);
  }
  return sifted;
}

const hides = ({ id, package: name }: Ignored, finding: Finding): boolean =>
  (id === finding.id || finding.aliases.includes(id)) &&
  (name === undefined || name === finding.package || name === finding.source);
