// The Nx plugin: folders with a Dockerfile are projects, Dockerfiles are the edges, and each run ends with a table.

import "@waybill/oci/zod";

export { createDependencies } from "./edges.ts";
export { postTasksExecution } from "./after-run.ts";
export { preTasksExecution } from "./before-run.ts";
export { createNodes } from "./nodes.ts";

export const name = "@waybill/nx-plugin";
