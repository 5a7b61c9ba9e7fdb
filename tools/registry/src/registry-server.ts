#!/usr/bin/env node
// The server's process: `registry-server.ts <folder>`. Only here so that Node keeps what it makes of our TypeScript: without that it
// loads its compiler of 40 MB at each start, and holds on to it.

import { enableCompileCache } from "node:module";
import { join } from "node:path";

enableCompileCache(join(import.meta.dirname, "../../../node_modules/.cache/waybill-node"));
const { main } = await import("./main.ts");
await main(process.argv.slice(2));
