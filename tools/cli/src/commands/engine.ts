// waybill engine …: the private engine.

import type { Group } from "../command.ts";

export const command: Group = {
  summary: "the private engine; prune frees its build cache",
  actions: {
    install: () => import("../engine/install.ts"),
    start: () => import("../engine/start.ts"),
    stop: () => import("../engine/stop.ts"),
    status: () => import("../engine/status.ts"),
    prune: () => import("../engine/prune.ts"),
  },
};
