// nx push: sends the built image to a registry by digest. Plans first, as data; --dry-run shows the plan.

import { cacheSettings } from "@waybill/cache/settings";
import { ensureBytes, findImage, recordOfImage, store, workspaceRoot } from "@waybill/image";
import { WaybillError, parseReference } from "@waybill/oci";
import { type PushPlan, RegistryClient, carryOut, planPush } from "@waybill/oci/registry";
import { ciTags } from "@waybill/release/ci-tags";
import { type Command, type Values, list, only, text } from "../command.ts";
import { formatBytes, shortDigest } from "@waybill/format";
import { configuredRegistry, settings } from "../settings.ts";

export const command: Command = {
  summary: "pushes the built image by digest, and tags it",
  usage: "<image>",
  options: {
    registry: { type: "string" },
    tag: { type: "string", multiple: true },
    "dry-run": { type: "boolean" },
    "plain-http": { type: "boolean" },
  },
  async run(positionals, values) {
    const image = await findImage(only(positionals, "image"));
    const record = await recordOfImage(image);
    await ensureBytes(image, record);
    const target = parseReference(`${await registryOf(values)}/${image.metadata.repository ?? image.name}`);
    const plainHttp = values["plain-http"] === true ? { plainHttp: true } : {};
    const client = new RegistryClient(target.registry, plainHttp);
    // Beside the remote cache, the registry takes the layers from there.
    const cache = cacheSettings(await settings());
    const mountFrom = cache?.registry === target.registry ? cache.repository : undefined;
    const named = list(values, "tag");
    const tags = named.length > 0 ? named : await ciTags(workspaceRoot());
    const plans = [await planPush(client, store(), record.digest, target.repository, tags)];
    for (const [variant, { digest }] of Object.entries(record.variants)) {
      plans.push(
        await planPush(
          client,
          store(),
          digest,
          target.repository,
          tags.map((tag) => `${tag}-${variant}`),
        ),
      );
    }
    const dry = values["dry-run"] === true;
    // Before anything is sent: a refusal changes nothing, whichever of the image's variants it is about.
    if (!dry) assertAllowed(plans);
    for (const plan of dry ? [] : plans)
      await carryOut(client, store(), plan, { onProgress: values["json"] === true ? undefined : say, mountFrom });
    for (const plan of plans) console.log(values["json"] === true ? JSON.stringify(plan) : describe(plan, dry));
    if (dry) assertAllowed(plans);
    return 0;
  },
};

/** Flag, then environment, then nx.json, then the mirror of this machine. */
async function registryOf(values: Values): Promise<string> {
  const configured = text(values, "registry") ?? (await configuredRegistry());
  if (configured !== undefined) return configured;
  const { defaultRegistry } = await import("../mirror/default-registry.ts");
  return await defaultRegistry((line) => console.error(`waybill: ${line}`));
}

function say({ kind, name, action, size }: { kind: string; name: string; action: string; size: number }): void {
  if (kind === "blob" && action !== "exists") console.log(`  ${shortDigest(name)} ${formatBytes(size)} ${action}`);
}

function describe({ registry, repository, digest, blobs, tags }: PushPlan, dry: boolean): string {
  const fresh = blobs.filter(({ action }) => action === "upload");
  const bytes = formatBytes(fresh.reduce((sum, { size }) => sum + size, 0));
  const sent = fresh.length === 0 ? "nothing to send" : `${fresh.length} of ${blobs.length} blobs, ${bytes}`;
  const names = tags.map(({ tag, action }) => `${tag} (${action})`).join(", ");
  return `${dry ? "would push" : "pushed"} ${registry}/${repository}@${digest}: ${sent}${names === "" ? "" : `; tags ${names}`}`;
}

function assertAllowed(plans: PushPlan[]): void {
  const refused = plans.flatMap(({ tags }) => tags).find(({ action }) => action === "refuse");
  if (refused === undefined) return;
  throw new WaybillError(`the version ${refused.tag} is another image already (${refused.current})`, {
    mend: "release a new version",
  });
}
