// What the control socket can be asked.

import { WaybillError } from "@waybill/oci/error";
import type { RunningServer } from "./server.ts";
import { stateOf } from "./view/state.ts";

type Command = (server: RunningServer, options: URLSearchParams) => Promise<unknown>;

const COMMANDS: Record<string, Command> = {
  status: async ({ url, registry }) => ({ url, pid: process.pid, ...(await stateOf(registry)) }),
  gc: async ({ registry }, options) => await registry.care.collect(options.get("dryRun") === "true"),
  scrub: async ({ registry }) => await registry.care.scrub(),
};

/** @throws {WaybillError} there is no such command */
export function commandOf(name: string): Command {
  const command = COMMANDS[name];
  if (command === undefined) throw new WaybillError(`there is no command "${name}"`);
  return command;
}
