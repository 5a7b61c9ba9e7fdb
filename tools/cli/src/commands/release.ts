// waybill release plan|version|publish|check: from changesets to tags by digest. Each is worked out as data first and shown.

import { ensureBytes, findImage, recordOfImage, store, workspaceRoot } from "@waybill/image";
import { type Digest, WaybillError } from "@waybill/oci";
import {
  type PublishPlan,
  gitHubOf,
  makePages,
  pagesOf,
  planPublish,
  planVersion,
  publish,
  pushTags,
  unreleased,
  version,
} from "@waybill/release";
import { type Command, type Values, text } from "../command.ts";
import { describePublish, describeVersions } from "../release-text.ts";
import { type Settings, requiredRegistry, settings } from "../settings.ts";

type Step = (values: Values, options: Settings) => Promise<0 | 1>;

const STEPS: Record<string, Step> = {
  plan: (values, options) => versions({ ...values, "dry-run": true }, options),
  version: versions,
  publish: publishStep,
  check: checkStep,
};

export const command: Command = {
  summary: "plan, version, publish or check a release made of changesets",
  usage: "plan|version|publish|check",
  options: { "dry-run": { type: "boolean" }, registry: { type: "string" }, "plain-http": { type: "boolean" } },
  async run([name, ...more], values) {
    const step = STEPS[name ?? ""];
    if (step === undefined || more.length > 0)
      throw new WaybillError(`write one of ${Object.keys(STEPS).join(", ")}`, { mend: "npx waybill release --help" });
    const { registry } = values;
    const options = await settings();
    return await step(values, typeof registry === "string" ? { ...options, registry } : options);
  },
};

async function versions(values: Values, { registry, pinDigests }: Settings): Promise<0> {
  const root = workspaceRoot();
  const dry = values["dry-run"] === true;
  const first = await planVersion(root, { registry });
  const digests = pinDigests ? await digestsOf(first.releases.filter(({ kind }) => kind === "image")) : undefined;
  const plan = digests === undefined ? first : await planVersion(root, { registry, digests });
  if (!dry) await version(root, plan);
  console.log(values["json"] === true ? JSON.stringify(plan) : describeVersions(plan, dry));
  return 0;
}

/** As they were built and tested: a version is no part of an image, so they stay what they are. */
async function digestsOf(images: readonly { name: string }[]): Promise<Map<string, Digest>> {
  const digests = new Map<string, Digest>();
  for (const { name } of images) digests.set(name, (await recordOfImage(await findImage(name))).digest);
  return digests;
}

async function publishStep(values: Values, options: Settings): Promise<0> {
  const root = workspaceRoot();
  const dry = values["dry-run"] === true;
  const json = values["json"] === true;
  const client = values["plain-http"] === true ? { plainHttp: true } : undefined;
  const registry = await requiredRegistry(text(values, "registry"));
  const charts = options.charts ?? registry.replace(/\/[^/]+$/, "/charts");
  const prepared = await planPublish(root, {
    registry,
    charts,
    source: options.source,
    store: store(),
    recordOf: async (name) => await recordOfImage(await findImage(name)),
    client,
  });
  if (!dry) {
    await publish(root, prepared, {
      store: store(),
      bringBytes,
      client,
      onProgress: (name, { kind, name: what, action }) => {
        if (!json && kind !== "manifest" && action !== "exists") console.log(`  ${name}: ${kind} ${what} ${action}`);
      },
    });
    await announce(root, prepared.plan);
  }
  console.log(json ? JSON.stringify(prepared.plan) : describePublish(prepared.plan, dry));
  return 0;
}

/** Last, as both tell people of what must be there by then. */
async function announce(root: string, plan: PublishPlan): Promise<void> {
  const pages = await pagesOf(root, plan);
  await pushTags(
    root,
    pages.map(({ tag }) => tag),
  );
  const github = gitHubOf(process.env);
  if (github !== undefined) await makePages(github, pages);
}

async function bringBytes(name: string) {
  const image = await findImage(name);
  const record = await recordOfImage(image);
  await ensureBytes(image, record);
  return record;
}

async function checkStep(values: Values, { registry }: Settings): Promise<0 | 1> {
  const found = await unreleased(workspaceRoot(), registry);
  if (values["json"] === true) console.log(JSON.stringify(found));
  else {
    for (const { where, image, tag, version: of } of found)
      console.log(`${where}: ${image}:${tag} was never released (its version is ${of})`);
  }
  return found.length > 0 ? 1 : 0;
}
