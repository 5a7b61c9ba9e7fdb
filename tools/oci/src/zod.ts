// Imported for its effect, before anything that makes a schema: Zod compiles each schema to a function at its first use. That pays
// after hundreds of documents; a run of ours reads a few, and compiling was half of what it spent on them.

import { config } from "zod";

config({ jitless: true });
