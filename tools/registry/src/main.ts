// The server's process: `node main.ts <folder>`. Logs to stdout; ends on SIGTERM or SIGINT once answers under way are out.

import { writeSync } from "node:fs";
import { isExpected } from "@waybill/oci/error";
import { loadConfig } from "./config.ts";
import { makeLog } from "./log.ts";
import { startServer } from "./server.ts";

const [folder] = process.argv.slice(2);

async function main(): Promise<void> {
  if (folder === undefined) throw new Error("usage: main.ts <folder>");
  const log = makeLog((line) => process.stdout.write(line));
  const server = await startServer(await loadConfig(folder), log);
  let stopping: Promise<void> | undefined;
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = server.stop();
      void stopping.then(() => process.exit(0));
    });
}

await main().catch((error: unknown) => {
  writeSync(2, `waybill: ${isExpected(error) ? error.message : String((error as Error).stack)}\n`);
  process.exitCode = 2;
});
