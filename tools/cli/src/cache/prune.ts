// waybill cache prune: deletes what has had its time.

import { type PrunePlan, carryOutPrune, listCache, planPrune } from "@waybill/cache";
import { WaybillError } from "@waybill/oci";
import { type Command, text } from "../command.ts";
import { openCache } from "./repositories.ts";

export const command: Command = {
  summary: "deletes what has had its time",
  usage: "",
  options: {
    keep: { type: "string" },
    "keep-per-image": { type: "string" },
    "dry-run": { type: "boolean" },
  },
  async run(_arguments, values) {
    const dry = values["dry-run"] === true;
    const options = {
      keepMs: duration(text(values, "keep") ?? "30d"),
      keepPerImage: count(text(values, "keep-per-image") ?? "5"),
      now: Date.now(),
    };
    const { client, repositories } = await openCache();
    const plans: PrunePlan[] = [];
    for (const repository of repositories) {
      const plan = planPrune(await listCache(client, repository), options);
      if (!dry && plan.entries.length + plan.images.length > 0) {
        await carryOutPrune(client, plan, planPrune(await listCache(client, repository), options));
      }
      plans.push(plan);
    }
    if (values["json"] === true) console.log(JSON.stringify(plans));
    else for (const plan of plans) console.log(describe(client.registry, plan, dry, values["verbose"] === true));
    return 0;
  },
};

function describe(registry: string, plan: PrunePlan, dry: boolean, verbose: boolean): string {
  const { repository, entries, images, kept } = plan;
  const what = `${entries.length} entries and ${images.length} manifests of images`;
  const line = `${registry}/${repository}: ${dry ? "would delete" : "deleted"} ${what}; ${kept.entries} and ${kept.images} stay`;
  return verbose ? [line, ...[...entries, ...images].map(({ tag }) => `  ${tag}`)].join("\n") : line;
}

const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** "30d" in milliseconds. */
function duration(written: string): number {
  const [, amount, unit = ""] = /^(\d+)([mhdw])$/.exec(written) ?? [];
  const ms = UNITS[unit];
  if (ms === undefined) throw new WaybillError(`--keep ${written} is no duration`, { mend: "write 30d, 12h or 4w" });
  return Number(amount) * ms;
}

function count(written: string): number {
  if (/^\d+$/.test(written)) return Number(written);
  throw new WaybillError(`--keep-per-image ${written} is no number`);
}
