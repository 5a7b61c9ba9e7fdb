// The registry as other rooms use it: its configuration, its server, and the socket by which a running one is asked.

export { loadConfig, makeConfig } from "./config.ts";
export type { Config } from "./config.ts";
export { command, ownerSend } from "./control.ts";
export { findRunning, halt, launch } from "./launch.ts";
export type { Running } from "./launch.ts";
export { makeLog, silent } from "./log.ts";
export { type ServerProcess, serverProcess } from "./server-process.ts";
export { startServer } from "./server.ts";
export type { RunningServer } from "./server.ts";
export { Holdings } from "./view/holdings.ts";
export type { Holding, HeldPlatform } from "./view/holdings.ts";
