// npm run bench: what the project promises about its speed, as ratios of things measured in the same run. Exit 1: a mark missed.

import { ProcessOutput } from "zx";
import { bundle } from "./bundle.ts";
import { cachedFleet } from "./cached-fleet.ts";
import { remoteCache } from "./remote-cache.ts";
import { graph } from "./graph.ts";
import { oneLineChange } from "./one-line-change.ts";
import { type Options, USAGE, readOptions } from "./options.ts";
import { registry } from "./registry.ts";
import { type Row, formatRows } from "./row.ts";
import { releases } from "./releases.ts";
import { endPrograms, lastWords } from "./shell.ts";

const BENCHES: Record<string, (options: Options) => Promise<Row[]>> = {
  "cached fleet": cachedFleet,
  "remote cache": remoteCache,
  "one-line change": oneLineChange,
  "graph of 500 images": graph,
  releases,
  registry,
  bundle,
};

async function main(): Promise<0 | 1> {
  const options = readOptions(process.argv.slice(2));
  const chosen = Object.entries(BENCHES).filter(([name]) => spaced(name).startsWith(spaced(options.only ?? "")));
  if (chosen.length === 0) throw new Error(`--only is one of ${Object.keys(BENCHES).join(", ")}`);
  const rows: Row[] = [];
  for (const [, bench] of chosen) rows.push(...(await bench(options)));
  console.log(options.json ? JSON.stringify(rows, null, 2) : `\n${formatRows(rows)}`);
  return rows.some(({ result }) => result === "FAIL") ? 1 : 0;
}

/** "cached-fleet" on a command line means "cached fleet". */
const spaced = (name: string): string => name.replaceAll("-", " ");

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(signal, () => {
    endPrograms();
    // The folders that the benches made go in their exit handlers.
    process.exit(code);
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  const said = error instanceof ProcessOutput ? lastWords(error) : (error as Error).message;
  console.error(`bench: ${said}\n${USAGE}`);
  process.exitCode = 2;
}
