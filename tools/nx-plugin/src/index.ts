// The Nx plugin: folders with a Dockerfile are projects, Dockerfiles are the edges, and each run ends with a table.

import "@waybill/oci/zod";
import { createRequire } from "node:module";
import type * as Plugin from "./plugin.ts";

// Not `export … from`, which would load Zod before the line above has said how. Nx asks for a plugin that is there at once.
const plugin = createRequire(import.meta.url)("./plugin.ts") as typeof Plugin;

export const { createDependencies, createNodes, postTasksExecution, preTasksExecution } = plugin;

export const name = "@waybill/nx-plugin";
