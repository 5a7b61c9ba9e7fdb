// A rule that doesn't fit one image is switched off in its Dockerfile, with the reason, for the image or for some of its files:
//   # waybill ignore=world-writable: the upstream's installer checks for it
//   # waybill ignore=secret /usr/share/go-*/src/**: a key of Go's own tests
// hadolint's rules have hadolint's own form, `# hadolint ignore=DL3003`.

import { matchesGlob } from "node:path";
import type { Finding } from "./finding.ts";

const EXCEPTION = /^\s*#\s*waybill\s+ignore=([\w-]+)(?:\s+([^\s:]+))?\s*(?::\s*(.*))?$/;

interface Exception {
  rule: string;
  /** A glob for a path of the image, or a file of the repo; all where absent. */
  path: string | undefined;
  reason: string;
  line: number;
}

/** Says which findings a Dockerfile makes an exception of. */
export class Exceptions {
  readonly #exceptions: readonly Exception[];

  constructor(dockerfile: string) {
    this.#exceptions = dockerfile.split("\n").flatMap((text, index) => {
      const [, rule, path, reason = ""] = EXCEPTION.exec(text) ?? [];
      return rule === undefined ? [] : [{ rule, path, reason: reason.trim(), line: index + 1 }];
    });
  }

  covers({ rule, file }: Pick<Finding, "rule" | "file">): boolean {
    return this.#exceptions.some(
      (one) => isExplained(one) && one.rule === rule && (one.path === undefined || matchesGlob(file, one.path)),
    );
  }

  /** An exception without a reason covers nothing, and is a finding itself. */
  findings(file: string): Finding[] {
    return this.#exceptions
      .filter((one) => !isExplained(one))
      .map(({ rule, line }) => ({
        rule: "exception",
        file,
        line,
        message: `the exception for ${rule} has no reason`,
        mend: `write # waybill ignore=${rule}: and why, in ten characters or more`,
        severity: "error",
      }));
  }
}

function isExplained({ reason }: Exception): boolean {
  return reason.length >= 10;
}
