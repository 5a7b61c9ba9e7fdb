// hadolint's findings on a Dockerfile, with shellcheck's on its RUN lines.

import { join } from "node:path";
import { check, parseJson, run, WaybillError } from "@waybill/oci";
import { z } from "zod";
import { ensureHadolint } from "./ensure-hadolint.ts";
import type { EnsureOptions } from "./ensure-hadolint.ts";
import type { Finding, Severity } from "./finding.ts";

const CONFIG = join(import.meta.dirname, "..", "hadolint.yaml");

const outputSchema = z.array(
  z.object({
    code: z.string(),
    line: z.int(),
    level: z.enum(["error", "warning", "info", "style", "ignore"]),
    message: z.string(),
  }),
);

const SEVERITY: Record<string, Severity> = { error: "error", warning: "warning" };

/**
 * @param dockerfile its path
 * @param file the name findings give it
 * @throws {WaybillError} hadolint can't be had, or fails
 */
export async function hadolint(dockerfile: string, file: string, options: EnsureOptions = {}): Promise<Finding[]> {
  const program = await ensureHadolint(options);
  // The repo's rules are the same for everyone: settings of the user's own are left out.
  const env = Object.fromEntries(
    Object.keys(process.env)
      .filter((key) => key.startsWith("HADOLINT_"))
      .map((key) => [key, undefined]),
  );
  const result = await run(program, ["--no-color", "--no-fail", "--format", "json", "--config", CONFIG, dockerfile], {
    env,
  });
  if (result.exitCode !== 0) throw new WaybillError(`hadolint failed (${result.stderr.trim()})`, { where: file });
  const found = check(outputSchema, parseJson(result.stdout, "hadolint's output"), "hadolint's output");
  return found.map(({ code, line, level, message }) => ({
    rule: code,
    file,
    line,
    message,
    mend: `see ${documentation(code)}`,
    severity: SEVERITY[level] ?? "info",
  }));
}

function documentation(code: string): string {
  return code.startsWith("SC")
    ? `https://www.shellcheck.net/wiki/${code}`
    : `https://github.com/hadolint/hadolint/wiki/${code}`;
}
