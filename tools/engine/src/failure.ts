// Turns what an engine prints when a build fails into one line: what, file:line, and the mend.

import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { WaybillError } from "@waybill/oci";
import type { BuildRequest } from "./engine.ts";

interface Rule {
  pattern: RegExp;
  explain: (match: RegExpMatchArray) => { what: string; mend?: string };
}

const RULES: Rule[] = [
  {
    pattern: /no space left on device/,
    explain: () => ({
      what: "the disk is full",
      mend: "free some space and run it again; `npx waybill doctor` shows the folder",
    }),
  },
  {
    pattern: /secret ([\w.-]+): not found/,
    explain: (match) => ({
      what: `the build needs the secret "${match[1]}"`,
      mend: `give it with --secret ${match[1]}=FILE`,
    }),
  },
  {
    pattern: /unknown instruction: (\S+)/,
    explain: (match) => ({ what: `unknown instruction ${match[1]}` }),
  },
  {
    pattern: /exec format error|no emulator available|[Ii]nvalid ELF image for this architecture/,
    explain: () => ({
      what: "RUN starts a program of that platform, which this machine can't",
      mend: "let a stage FROM --platform=$BUILDPLATFORM do it, or install emulation (docs/multi-arch.md)",
    }),
  },
  {
    pattern: /process "(.*?)" did not complete successfully: exit code: (\d+)/s,
    explain: (match) => ({ what: `RUN failed with exit code ${match[2]}`, mend: "its output is above" }),
  },
  {
    pattern: /building at STEP "RUN .*?": .*exit status (\d+)/s,
    explain: (match) => ({ what: `RUN failed with exit code ${match[1]}`, mend: "its output is above" }),
  },
  {
    pattern: /"([^"]+)": not found$/m,
    explain: (match) => ({
      what: `${match[1]} is not in the build context`,
      mend: "check the path and the .dockerignore",
    }),
  },
  {
    pattern: /failed to resolve source metadata for ([^\s:]+[^\s]*?): /,
    explain: (match) => ({
      what: `the image ${match[1]} can't be had`,
      mend: "use an image of this repo, or check the registry",
    }),
  },
  {
    pattern: /no active session for \w+: context deadline exceeded|DeadlineExceeded/,
    explain: () => ({ what: "the engine was kept waiting too long", mend: "the machine is busy: run it again" }),
  },
  {
    pattern:
      /(?:Cannot connect to the Docker daemon|error during connect|closing transport|connection refused|EOF$|no builder)/m,
    explain: () => ({
      what: "the engine went away during the build",
      mend: "`npx waybill doctor` shows its state; run the build again",
    }),
  },
];

/** The failure of a build as one line. `output` is all that the engine printed. */
export function explainFailure(output: string, request: Pick<BuildRequest, "dockerfile">): WaybillError {
  const where = relative(process.cwd(), placeOf(output, request.dockerfile));
  for (const { pattern, explain } of RULES) {
    const match = output.match(pattern);
    if (match === null) continue;
    const { what, mend } = explain(match);
    return new WaybillError(what, { where, mend });
  }
  return new WaybillError(lastError(output), { where });
}

/** BuildKit prints the place as `Dockerfile:LINE` above an excerpt of the file; buildah the text of the step alone. */
function placeOf(output: string, dockerfile: string): string {
  const line =
    /^[^\s:]*Dockerfile[^\s:]*:(\d+)$/m.exec(output)?.[1] ??
    /on line (\d+)/.exec(output)?.[1] ??
    lineOfStep(output, dockerfile);
  return line === undefined ? dockerfile : `${dockerfile}:${line}`;
}

function lineOfStep(output: string, dockerfile: string): number | undefined {
  // Flags and continuations are laid out differently in the step; its first words after them are enough.
  const step = /building at STEP "(\S+ .*?)":/s.exec(output)?.[1]?.slice(0, 40);
  if (step === undefined || !existsSync(dockerfile)) return undefined;
  const at = readFileSync(dockerfile, "utf8")
    .split("\n")
    .findIndex((line) => line.startsWith(step));
  return at < 0 ? undefined : at + 1;
}

function lastError(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const line =
    lines.findLast((text) => /^ERROR:|^error|^Error/.test(text)) ?? lines.at(-1) ?? "the engine said nothing";
  return line.replace(/^ERROR:\s*/, "").replace(/^failed to solve:\s*/, "");
}
