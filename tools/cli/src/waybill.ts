#!/usr/bin/env node
// The command line: finds the command, runs it, and is the one place that exits.

import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { noteTask } from "@waybill/cache/tasks";

// Node keeps what it made of our TypeScript and of zod: half of the start-up, once for each build. In a folder of this workspace's,
// as another user could put code into one in /tmp.
enableCompileCache(join(import.meta.dirname, "../../../node_modules/.cache/waybill-node"));
// For the remote cache, where this is a task of Nx.
noteTask();
const { main } = await import("./main.ts");

process.exitCode = await main(process.argv.slice(2));
