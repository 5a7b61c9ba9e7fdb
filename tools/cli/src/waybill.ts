#!/usr/bin/env node
// The command line: finds the command, runs it, and is the one place that exits.

import { main } from "./main.ts";

process.exitCode = await main(process.argv.slice(2));
