// waybill mirror …: the registry on this machine, which pulls through from others.

import type { Group } from "../command.ts";

export const command: Group = {
  summary: "the registry on this machine, which pulls through from others",
  actions: {
    setup: () => import("../mirror/setup.ts"),
    start: () => import("../mirror/start.ts"),
    stop: () => import("../mirror/stop.ts"),
    status: () => import("../mirror/status.ts"),
    check: () => import("../mirror/check.ts"),
    clients: () => import("../mirror/clients.ts"),
    systemd: () => import("../mirror/systemd.ts"),
    pull: () => import("../mirror/pull.ts"),
    sync: () => import("../mirror/sync.ts"),
    list: () => import("../mirror/list.ts"),
    rewrite: () => import("../mirror/rewrite.ts"),
    archive: () => import("../mirror/archive.ts"),
    verify: () => import("../mirror/verify.ts"),
    restore: () => import("../mirror/restore.ts"),
    gc: () => import("../mirror/gc.ts"),
    scrub: () => import("../mirror/scrub.ts"),
  },
};
