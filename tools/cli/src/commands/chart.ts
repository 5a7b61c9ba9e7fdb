// waybill chart lint|template <chart>: the targets of a chart. Helm is the repo's own, from the image `kubernetes`.

import { globSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { type Chart, findCharts } from "@waybill/chart";
import { copyCrds, crdDrift } from "@waybill/chart/crds";
import { helmLint, helmTemplate } from "@waybill/chart/helm";
import { programOf, workspaceRoot } from "@waybill/image";
import { WaybillError, writeFileAtomic } from "@waybill/oci";
import type { Command } from "../command.ts";

export const command: Command = {
  summary: "checks or renders a chart with Helm 3 and 4; lint --fix copies its CRDs again",
  usage: "lint|template <chart>",
  options: { fix: { type: "boolean" } },
  async run([task, name, ...more], values) {
    if ((task !== "lint" && task !== "template") || name === undefined || more.length > 0)
      throw new WaybillError("which chart, and what of it?", { mend: "npx waybill chart lint|template <chart>" });
    const chart = chartOf(name);
    return task === "lint" ? lint(chart, values["fix"] === true) : template(chart);
  },
};

/** @throws {WaybillError} no chart has that name */
function chartOf(name: string): Chart {
  const charts = findCharts(workspaceRoot());
  const chart = charts.find((each) => each.name === name);
  if (chart !== undefined) return chart;
  const mend = `the charts are ${charts.map((each) => each.name).join(", ")}`;
  throw new WaybillError(`there is no chart "${name}"`, { mend });
}

const helm = (version: 3 | 4): Promise<string> => programOf("kubernetes", `usr/local/bin/helm${version}`);

/** Values to check a chart with beside its own: ci/*-values.yaml, as chart-testing has them. */
const cases = ({ folder }: Chart): (string | undefined)[] => [
  undefined,
  ...globSync("ci/*-values.yaml", { cwd: folder })
    .toSorted()
    .map((file) => join(folder, file)),
];

async function lint(chart: Chart, fix: boolean): Promise<0 | 1> {
  const root = workspaceRoot();
  const where = relative(process.cwd(), chart.folder);
  const findings: string[] = [];
  if (fix) for (const name of await copyCrds(chart.folder, root)) console.log(`mended: ${where}/crds/${name}`);
  for (const name of crdDrift(chart.folder, root)) {
    findings.push(`${where}/crds/${name}: is not what its source has: \`npx waybill chart lint ${chart.name} --fix\``);
  }
  for (const version of [3, 4] as const) {
    for (const values of cases(chart)) {
      const from = values === undefined ? where : relative(process.cwd(), values);
      const problems = await helmLint(await helm(version), chart.folder, values === undefined ? [] : [values]);
      findings.push(...problems.map((problem) => `${from}: ${problem} (Helm ${version})`));
    }
  }
  for (const finding of findings) console.log(finding);
  if (findings.length === 0) console.log(`${chart.name}: no findings, ${cases(chart).length} sets of values`);
  return findings.length === 0 ? 0 : 1;
}

/** One file in dist/ for each set of values, as Helm 4 sends it. */
async function template(chart: Chart): Promise<0> {
  const program = await helm(4);
  for (const values of cases(chart)) {
    const name = values === undefined ? "default" : basename(values, "-values.yaml");
    const file = join(chart.folder, "dist", `${name}.yaml`);
    await writeFileAtomic(
      file,
      await helmTemplate(program, chart.folder, values === undefined ? {} : { values: [values] }),
    );
    console.log(relative(process.cwd(), file));
  }
  return 0;
}
