// The Nx plugin: folders with a Dockerfile are projects, Dockerfiles are the edges, and each run ends with a table.

import "@waybill/oci/zod";
import { createRequire } from "node:module";

// Not `export … from`, which would load Zod before the line above has said how. Nx asks for a plugin that is there at once.
const load = createRequire(import.meta.url);
export const { createDependencies, createNodes, postTasksExecution, preTasksExecution } = load(
  "./plugin.ts",
) as typeof import("./plugin.ts");

export const name = "@waybill/nx-plugin";
