// The server as a process: logs to stdout; ends on SIGTERM or SIGINT once answers under way are out.

import { writeSync } from "node:fs";
import { isExpected, WaybillError } from "@waybill/oci/error";
import { loadConfig } from "./config.ts";
import { makeLog } from "./log.ts";
import { startServer } from "./server.ts";

/** Exit code 2: it could not start, and one line on stderr says why. 1: another machine took its folder; who starts it again stands by. */
export async function main(args: string[]): Promise<void> {
  await start(args).catch((error: unknown) => {
    writeSync(2, `waybill: ${isExpected(error) ? error.message : String((error as Error).stack)}\n`);
    process.exitCode = 2;
  });
}

async function start([folder]: string[]): Promise<void> {
  if (folder === undefined) throw new WaybillError("the registry's folder is missing");
  const log = makeLog((line) => process.stdout.write(line));
  const server = await startServer(await loadConfig(folder), log, () => {
    process.exitCode = 1;
  });
  let stopping: Promise<void> | undefined;
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = server.stop();
      void stopping.then(() => process.exit(0));
    });
}
