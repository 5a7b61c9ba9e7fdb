// What Nx calls of the plugin.

export { postTasksExecution } from "./after-run.ts";
export { preTasksExecution } from "./before-run.ts";
export { createDependencies } from "./edges.ts";
export { createNodes } from "./nodes.ts";
