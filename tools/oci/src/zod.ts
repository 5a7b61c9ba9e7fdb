// Imported for its effect, before anything that makes a schema, and for that before anything that imports "zod" is loaded.
//
// Zod compiles each schema to a function at its first use. That pays after hundreds of documents; a run of ours reads a few, and
// compiling was half of what it spent on them. And whichever entry of its package is imported brings the messages of 65 languages: a
// third of what loading it takes (20 ms of 45, 8 MB). English comes by itself.

import { createRequire, registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

const hooks = registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier === "../locales/index.js" ? "../locales/en.js" : specifier, context),
});
// Not `import`, which would be done before the hook is there. The module is the same that others import.
const load = createRequire(import.meta.url);
const { config } = load(fileURLToPath(import.meta.resolve("zod"))) as typeof import("zod");
hooks.deregister();

config({ jitless: true });
