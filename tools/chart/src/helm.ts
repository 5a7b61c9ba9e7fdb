// What Helm says of a chart. Which program it is (Helm 3, Helm 4) is the caller's to say.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunResult, WaybillError, run } from "@waybill/oci";

export interface RenderOptions {
  /** Values files over the chart's own, absolute. */
  values?: readonly string[];
  release?: string;
  namespace?: string;
}

/**
 * `helm lint --strict`.
 * @param program path of a Helm
 * @returns one line for each error and warning; none for a clean chart
 * @throws {WaybillError} Helm failed without saying what of
 */
export async function helmLint(program: string, chart: string, values: readonly string[] = []): Promise<string[]> {
  const { exitCode, stdout, stderr } = await helm(program, ["lint", "--strict", ...flags(values), chart]);
  const said = Array.from(`${stdout}\n${stderr}`.matchAll(/^\[(?:ERROR|WARNING)\] (.+(?:\n(?:\t|- | {2}).+)*)/gm));
  const problems = said.map(([, problem]) => (problem as string).replaceAll(/\s*\n\s*/g, " "));
  if (exitCode === 0 || problems.length > 0) return problems;
  throw new WaybillError(`helm lint failed (${stderr.trim().split("\n").at(-1)})`, { where: chart });
}

/**
 * `helm template`: everything that an install sends, hooks and CRDs included.
 * @throws {WaybillError} the chart can't be rendered with these values: Helm's reason
 */
export async function helmTemplate(program: string, chart: string, options: RenderOptions = {}): Promise<string> {
  const { values = [], release = "waybill", namespace = "waybill-system" } = options;
  const args = ["template", release, chart, "--namespace", namespace, "--include-crds", ...flags(values)];
  const { exitCode, stdout, stderr } = await helm(program, args);
  if (exitCode === 0) return stdout;
  throw new WaybillError(stderr.trim().replace(/^Error: /, ""), { where: chart });
}

const flags = (values: readonly string[]): string[] => values.flatMap((file) => ["--values", file]);

/** Nothing of the user's settings, plugins and repositories. */
async function helm(program: string, args: readonly string[]): Promise<RunResult> {
  const home = await mkdtemp(join(tmpdir(), "waybill-helm-"));
  const env = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home, KUBECONFIG: join(home, "none") };
  try {
    return await run(program, args, { env });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
