// Rules for an image's Dockerfile and .dockerignore that no linter has: what Waybill's builds and its graph stand on.

import { consumedArgs, declaredArgs, formOf, PREDEFINED_ARGS } from "@waybill/dockerfile";
import type { Ignore } from "@waybill/dockerfile";
import { baseFindings } from "./base-rule.ts";
import type { BaseFacts } from "./base-rule.ts";
import type { Finding } from "./finding.ts";

export interface DockerfileFacts extends BaseFacts {
  /** Absent where the image has no ignore file. */
  ignore: Ignore | undefined;
  /** The name findings give the ignore file. */
  ignoreFile: string;
}

export function dockerfileFindings(facts: DockerfileFacts): Finding[] {
  // Upstream's Dockerfile is used as it is: what counts is that it can be built, and that it does what is asked.
  if (facts.image.metadata.source !== undefined) {
    return [...problems(facts), ...unusedBuildArgs(facts), ...baseFindings(facts)];
  }
  return [
    ...problems(facts),
    ...syntaxLine(facts),
    ...allowList(facts),
    ...unusedBuildArgs(facts),
    ...baseFindings(facts),
    ...unverifiedDownloads(facts),
  ];
}

function problems({ dockerfile }: DockerfileFacts): Finding[] {
  return dockerfile.problems.map(({ what, mend = "", where = "" }) => ({
    rule: "dockerfile",
    file: dockerfile.file,
    line: Number(/:(\d+)$/.exec(where)?.[1] ?? 1),
    message: what,
    mend,
    severity: "error",
  }));
}

function syntaxLine({ dockerfile }: DockerfileFacts): Finding[] {
  if (dockerfile.syntax === undefined) return [];
  const message = `# syntax=${dockerfile.syntax} makes every build pull that image first`;
  const mend = "delete the line: the engine's own frontend is used";
  return [{ rule: "syntax-line", file: dockerfile.file, line: 1, message, mend, severity: "error" }];
}

function allowList({ ignore, ignoreFile }: DockerfileFacts): Finding[] {
  if (ignore?.isAllowList) return [];
  const message = ignore === undefined ? "there is no .dockerignore" : "the ignore file lists what is left out";
  const mend =
    'begin it with "*" and name what the build needs after "!": a new file then rebuilds nothing by accident';
  return [{ rule: "ignore-allow-list", file: ignoreFile, message, mend, severity: "error" }];
}

/** A build arg nothing reads promises an effect it doesn't have. */
function unusedBuildArgs({ dockerfile, buildArgs, image }: DockerfileFacts): Finding[] {
  const consumed = consumedArgs(dockerfile, { buildArgs });
  const declared = new Set(declaredArgs(dockerfile));
  return Object.keys(buildArgs).flatMap((name): Finding[] => {
    const uses = consumed.filter((use) => use.name === name);
    if (uses.some(({ how }) => how === "referenced") || PREDEFINED_ARGS.has(name)) return [];
    const base = { rule: "build-arg-unused", file: dockerfile.file };
    const [hidden] = uses;
    if (hidden !== undefined && image.metadata.source !== undefined) return [];
    if (hidden !== undefined) {
      const message = `no line names the build arg ${name}, though this RUN has it in its environment`;
      return [
        {
          ...base,
          line: hidden.line,
          message,
          mend: `write ${name}="$${name}" before the command that reads it`,
          severity: "warning" as const,
        },
      ];
    }
    const message = declared.has(name)
      ? `the build arg ${name} is declared, and nothing uses it`
      : `there is no ARG ${name}`;
    const mend = `use $${name}, or take it out of metadata.image.buildArgs in project.json`;
    return [{ ...base, message, mend, severity: "error" as const }];
  });
}

/** ADD of a URL without a checksum takes whatever the server sends that day. */
function unverifiedDownloads({ dockerfile }: DockerfileFacts): Finding[] {
  const adds = dockerfile.stages.flatMap(({ instructions }) => instructions).filter(({ keyword }) => keyword === "ADD");
  return adds
    .filter(({ text, flags }) => formOf(text).words.some(isRemote) && !flags.some(({ name }) => name === "checksum"))
    .map(({ line }) => ({
      rule: "download-unverified",
      file: dockerfile.file,
      line,
      message: "ADD takes a URL without a checksum",
      mend: `declare the file in project.json (metadata.image.files) and copy it from its set, or add --checksum=sha256:…`,
      severity: "error",
    }));
}

function isRemote(source: string): boolean {
  return /^(?:https?|git|ssh):\/\/|^git@/.test(source);
}
