// waybill engine install|start|stop|status: the private engine.

import {
  embeddedIsInstalled,
  embeddedPaths,
  installEmbedded,
  pruneEmbedded,
  releaseBuildah,
  startEmbedded,
  stopEmbedded,
  engineAnswers,
} from "@waybill/engine";
import { WaybillError } from "@waybill/oci";
import { type Command, only } from "../command.ts";

const ACTIONS: Record<string, () => Promise<string>> = {
  async install() {
    await installEmbedded((line) => console.log(`waybill: ${line}`));
    return `installed in ${embeddedPaths().root}`;
  },
  async start() {
    await startEmbedded();
    return "running";
  },
  async stop() {
    const ran = await stopEmbedded();
    await releaseBuildah();
    return ran ? "stopped" : "it was not running";
  },
  async prune() {
    return await pruneEmbedded();
  },
  async status() {
    const installed = embeddedIsInstalled() ? "installed" : "not installed";
    return `${installed}, ${(await engineAnswers()) ? "running" : "not running"}`;
  },
};

export const command: Command = {
  summary: "the private engine; prune frees its build cache",
  usage: "install|start|stop|status|prune",
  options: {},
  async run(positionals) {
    const action = ACTIONS[only(positionals, "action")];
    if (action === undefined)
      throw new WaybillError(`unknown action "${positionals[0]}"`, { mend: `use ${Object.keys(ACTIONS).join(", ")}` });
    console.log(await action());
    return 0;
  },
};
