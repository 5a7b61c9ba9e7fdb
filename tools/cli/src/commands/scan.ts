// waybill scan <image>…: known vulnerabilities of what is in images. The gate: exit 1 for those that --fail-on is about.

import { store } from "@waybill/image";
import { WaybillError } from "@waybill/oci";
import {
  type Finding,
  type ImageScan,
  LEVELS,
  type Level,
  advisorySource,
  formatScans,
  isAtLeast,
  markdownOfScans,
  scanImages,
} from "@waybill/scan";
import { type Command, type Values, text } from "../command.ts";
import { allNames, scanTargets } from "../scan-targets.ts";
import { settings } from "../settings.ts";

export const command: Command = {
  summary: "known vulnerabilities of what is in images, by OSV's advisories",
  usage: "<image>... | --all",
  options: {
    all: { type: "boolean" },
    markdown: { type: "boolean" },
    severity: { type: "string" },
    "fail-on": { type: "string" },
  },
  async run(positionals, values) {
    const names = values["all"] === true ? await allNames() : positionals;
    if (names.length === 0 || (values["all"] === true && positionals.length > 0))
      throw new WaybillError("which images?", { mend: "npx waybill scan <image>..., or --all" });
    const shown = level(values, "severity");
    const fails = failing(text(values, "fail-on"));
    const source = await advisorySource((await settings()).osv);
    const scans = await scanImages(await scanTargets(names), { store: store(), source });
    const found = scans.map((scan) => ({ ...scan, findings: scan.findings.filter(isShown(shown)) }));
    if (values["json"] === true) console.log(JSON.stringify({ source: source.name, images: found }));
    else if (values["markdown"] === true) process.stdout.write(markdownOfScans(found));
    else console.log(formatScans(found));
    return found.some((scan) => isFailure(scan, fails)) ? 1 : 0;
  },
};

const isShown =
  (least: Level | undefined) =>
  ({ severity }: Finding): boolean =>
    least === undefined || isAtLeast(severity, least);

/** What an ignore list no longer says is mended by editing it, so it always counts. */
const isFailure = ({ findings, problems }: ImageScan, fails: (finding: Finding) => boolean): boolean =>
  problems.length > 0 || findings.some(fails);

/** @throws {WaybillError} neither "fixable" nor a level */
function failing(word: string | undefined): (finding: Finding) => boolean {
  if (word === undefined) return () => true;
  if (word === "fixable") return ({ fixed }) => fixed !== undefined;
  const least = level({ "fail-on": word }, "fail-on", ["fixable", ...LEVELS]);
  return isShown(least);
}

function level(values: Values, flag: string, words: readonly string[] = LEVELS): Level | undefined {
  const word = text(values, flag);
  const found = LEVELS.find((each) => each === word);
  if (word === undefined || found !== undefined) return found;
  throw new WaybillError(`--${flag} ${word} is none of ${words.join(", ")}`);
}
