// waybill release publish: each version that the registry doesn't have, its chart, its tags in git, its page on GitHub.

import { ensureBytes, findImage, recordOfImage, store, workspaceRoot } from "@waybill/image";
import { type PublishPlan, gitHubOf, makePages, pagesOf, planPublish, publish, pushTags } from "@waybill/release";
import { type Command, text } from "../command.ts";
import { requiredRegistry, settings } from "../settings.ts";
import { REGISTRY } from "./registry.ts";
import { describePublish } from "./text.ts";

export const command: Command = {
  summary: "publishes what the registry doesn't have",
  usage: "",
  options: { ...REGISTRY, "dry-run": { type: "boolean" }, "plain-http": { type: "boolean" } },
  async run(_arguments, values) {
    const root = workspaceRoot();
    const dry = values["dry-run"] === true;
    const json = values["json"] === true;
    const client = values["plain-http"] === true ? { plainHttp: true } : undefined;
    const options = await settings();
    const registry = await requiredRegistry(text(values, "registry"));
    const prepared = await planPublish(root, {
      registry,
      charts: options.charts ?? registry.replace(/\/[^/]+$/, "/charts"),
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
  },
};

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
