// waybill mirror restore: a bundle into the mirror of this machine, or into any registry.

import {
  type Bundle,
  type Destination,
  type ImagePlan,
  type OnConflict,
  type RestorePlan,
  assertPossible,
  assertSound,
  bytesToSend,
  openBundle,
  planRestore,
  readImages,
  restore,
  sizeOfBundle,
  toRegistry,
} from "@waybill/bundle";
import { formatBytes, shortDigest } from "@waybill/format";
import { locate, settingsFileOf } from "@waybill/mirror/backend";
import { type Reference, WaybillError } from "@waybill/oci";
import { RegistryClient, anonymous } from "@waybill/oci/registry";
import { ownerSend } from "@waybill/registry";
import { type Command, type Values, only, text } from "../command.ts";
import { stopSignal } from "../stop.ts";
import { BundleProgress } from "./bundle-progress.ts";
import { DIR, folderOf, runningMirror } from "./folder.ts";

const STRATEGIES: readonly string[] = ["error", "skip", "overwrite", "merge"] satisfies OnConflict[];

export const command: Command = {
  summary: "a bundle into the mirror, or into any registry",
  usage: "<bundle> [--to REGISTRY/PREFIX]",
  options: {
    ...DIR,
    to: { type: "string" },
    "on-conflict": { type: "string" },
    baseline: { type: "string" },
    trim: { type: "boolean" },
    "dry-run": { type: "boolean" },
    "plain-http": { type: "boolean" },
  },
  async run(names, values) {
    const path = only(names, "bundle");
    const onConflict = strategyOf(values);
    const signal = stopSignal();
    const opened: Bundle[] = [];
    const open = async (name: string): Promise<Bundle> => {
      const bundle = await openBundle(name);
      opened.push(bundle);
      return bundle;
    };
    try {
      const bundle = await open(path);
      const baselinePath = text(values, "baseline");
      const baseline = baselinePath === undefined ? undefined : await open(baselinePath);
      const images = await readImages(bundle);
      const destination = await destinationOf(values, signal);
      for (const each of opened) await proveAll(each, values["json"] === true);
      const plan = await planRestore(bundle, images, destination, {
        onConflict,
        trim: values["trim"] === true,
        baseline,
      });
      const dry = values["dry-run"] === true;
      if (dry) say(plan, destination, values, true);
      assertPossible(plan, bundle);
      if (dry) return 0;
      await carryOut(bundle, plan, destination, { baseline, signal, quiet: values["json"] === true });
      say(plan, destination, values, false);
      return 0;
    } finally {
      for (const bundle of opened) await bundle.close();
    }
  },
};

function strategyOf(values: Values): OnConflict {
  const given = text(values, "on-conflict") ?? "error";
  if (STRATEGIES.includes(given)) return given as OnConflict;
  throw new WaybillError(`--on-conflict ${given} is unknown`, { mend: `use ${STRATEGIES.join(", ")}` });
}

async function destinationOf(values: Values, signal: AbortSignal): Promise<Destination> {
  const to = text(values, "to");
  if (to === undefined) return await theMirror(folderOf(values), signal);
  const [registry = "", ...prefix] = to.replace(/\/$/, "").split("/");
  const plainHttp = values["plain-http"] === true ? { plainHttp: true } : {};
  return toRegistry(new RegistryClient(registry, { signal, ...plainHttp }), prefix.join("/"));
}

/** Where images of upstreams are asked for. */
async function theMirror(folder: string, signal: AbortSignal): Promise<Destination> {
  const mirror = await runningMirror(folder);
  if (!mirror.takesImages) {
    const what = `the mirror is ${mirror.name} at ${mirror.url}, which takes upstreams' images from upstreams alone`;
    throw new WaybillError(what, { where: folder, mend: "restore with --to REGISTRY/PREFIX" });
  }
  const { host, protocol } = new URL(mirror.url);
  // Ours takes them from its owner alone, over its socket.
  const client =
    mirror.name === "waybill"
      ? new RegistryClient(host, { send: await ownerSend(folder), signal, plainHttp: true, credentials: anonymous })
      : new RegistryClient(host, { signal, plainHttp: protocol === "http:" });
  const place = (reference: Reference): string => {
    const located = locate(mirror, reference);
    if (located !== undefined) return located.repository;
    const mend = `add "${reference.registry}": {} to its upstreams, and start it again`;
    const where = `${folder}/${settingsFileOf(mirror)}`;
    throw new WaybillError(`the mirror does not know ${reference.registry}`, { where, mend });
  };
  return { client, label: `the mirror at ${host}`, place };
}

/** Reads all of it, and shows how far it is. @throws {WaybillError} not every byte is what was archived */
async function proveAll(bundle: Bundle, quiet: boolean): Promise<void> {
  const progress = new BundleProgress("verified", sizeOfBundle(bundle), quiet);
  await assertSound(bundle, progress.onBytes).finally(() => progress.end());
}

async function carryOut(
  bundle: Bundle,
  plan: RestorePlan,
  destination: Destination,
  { quiet, ...options }: { baseline: Bundle | undefined; signal: AbortSignal; quiet: boolean },
): Promise<void> {
  const progress = new BundleProgress("sent", bytesToSend(plan), quiet);
  const { onBytes, onBlob } = progress;
  await restore(bundle, plan, destination, { ...options, onBytes, onBlob }).finally(() => progress.end());
}

function say(plan: RestorePlan, { label }: Destination, values: Values, dry: boolean): void {
  const size = bytesToSend(plan);
  const images = plan.images.map(({ reference, repository, tag, digest, current, action }) => ({
    reference,
    repository,
    tag,
    digest,
    current,
    action,
  }));
  if (values["json"] === true) {
    console.log(
      JSON.stringify({ schemaVersion: 1, destination: label, dryRun: dry, size, images, missing: plan.missing }),
    );
    return;
  }
  for (const image of plan.images) console.log(describe(image));
  console.log(`${label}: ${plan.images.length} images, ${formatBytes(size)} ${dry ? "to send" : "sent"}`);
}

function describe({ reference, repository, tag, digest, current, action }: ImagePlan): string {
  const name = tag === undefined ? repository : `${repository}:${tag}`;
  const was = current !== undefined && action !== "keep" ? `, was ${shortDigest(current)}` : "";
  return `${action.padEnd(8)}  ${reference} -> ${name}  ${shortDigest(digest)}${was}`;
}
