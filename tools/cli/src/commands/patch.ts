// waybill patch <image>…: moves the pins that carry a security fix, builds, scans again, and pushes what mends more than the last time.

import { type Image, findImage, findImages, recordOfImage, store, workspaceRoot } from "@waybill/image";
import { WaybillError, parseReference } from "@waybill/oci";
import { RegistryClient } from "@waybill/oci/registry";
import { commitOf, releasables } from "@waybill/release";
import {
  type ImagePatch,
  type PatchReport,
  type PushTarget,
  advisorySource,
  formatPatches,
  isPatched,
  markdownOfPatches,
  noAdvisories,
  patchImages,
  planPatchPush,
  pushPatch,
} from "@waybill/scan";
import { type Command, type Values, text } from "../command.ts";
import { BuildProgress } from "../progress.ts";
import { targetOf } from "../scan-targets.ts";
import { type Settings, requiredRegistry, settings } from "../settings.ts";
import { stopSignal } from "../stop.ts";

const SUFFIX = /^[a-z][a-z0-9-]*$/;

export const command: Command = {
  summary: "moves what carries a security fix, builds and scans again; pushes <version>-<suffix>.N",
  usage: "<image>...",
  options: {
    suffix: { type: "string" },
    push: { type: "boolean" },
    registry: { type: "string" },
    "plain-http": { type: "boolean" },
    "dry-run": { type: "boolean" },
    markdown: { type: "boolean" },
  },
  async run(positionals, values) {
    const images = await named(positionals);
    const suffix = text(values, "suffix") ?? "cve";
    if (!SUFFIX.test(suffix)) throw new WaybillError(`--suffix ${suffix} is not lower-case letters, digits and -`);
    const options = await settings();
    const push = values["push"] === true ? await pushing(images, suffix, values, options) : undefined;
    const quiet = values["json"] === true || values["markdown"] === true;
    const { onLine } = new BuildProgress(values["verbose"] === true && !quiet);
    const patches = await patchImages(images, {
      store: store(),
      source: process.env["WAYBILL_OSV_URL"] === "off" ? noAdvisories : await advisorySource(options.osv),
      targetOf,
      dryRun: values["dry-run"] === true,
      onProgress: (line) => console.error(line),
      onLine: quiet ? undefined : onLine,
      signal: stopSignal(),
    });
    const versions = await versionsOf();
    const reports: PatchReport[] = [];
    for (const patch of patches) {
      const report = { ...patch, version: versions.get(patch.name) ?? "", dryRun: values["dry-run"] === true };
      reports.push({ ...report, ...(await push?.(patch)) });
    }
    show(reports, values);
    return 0;
  },
};

async function named(names: readonly string[]): Promise<Image[]> {
  if (names.length === 0) throw new WaybillError("which images?", { mend: "npx waybill patch <image>..." });
  await findImages();
  return await Promise.all([...new Set(names)].map((name) => findImage(name)));
}

const versionsOf = async (): Promise<Map<string, string>> =>
  new Map([...(await releasables(workspaceRoot())).values()].map(({ name, version }) => [name, version]));

type Push = (patch: ImagePatch) => Promise<Pick<PatchReport, "push">>;

/** What pushing takes is looked for before anything is built. @throws {WaybillError} an image that has no version */
async function pushing(images: readonly Image[], suffix: string, values: Values, options: Settings): Promise<Push> {
  const versions = await versionsOf();
  const without = images.find(({ name }) => !versions.has(name));
  if (without !== undefined)
    throw new WaybillError(`${without.name} is not released: it has no version to patch`, {
      mend: "leave it out, or write its package.json",
    });
  const commit = await commitOf(workspaceRoot());
  const registry = await requiredRegistry(text(values, "registry"));
  const plainHttp = values["plain-http"] === true ? { plainHttp: true } : {};
  return async (patch) => {
    if (!isPatched(patch)) return {};
    const image = await findImage(patch.name);
    const named = parseReference(`${registry}/${image.metadata.repository ?? image.name}`);
    const target: PushTarget = {
      client: new RegistryClient(named.registry, plainHttp),
      store: store(),
      repository: named.repository,
      version: versions.get(patch.name) as string,
      suffix,
      ...commit,
      source: options.source,
    };
    const record = await recordOfImage(image);
    const plan = await planPatchPush(patch, record, target);
    await pushPatch(plan, record, target);
    return { push: plan };
  };
}

function show(reports: readonly PatchReport[], values: Values): void {
  if (values["json"] === true) console.log(JSON.stringify(reports));
  else if (values["markdown"] === true) process.stdout.write(markdownOfPatches(reports));
  else console.log(formatPatches(reports));
}
