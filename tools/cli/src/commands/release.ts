// waybill release …: from changesets to tags by digest. Each step is worked out as data first and shown.

import type { Group } from "../command.ts";

export const command: Group = {
  summary: "plan, version, publish or check a release made of changesets",
  actions: {
    plan: () => import("../release/plan.ts"),
    version: () => import("../release/version.ts"),
    publish: () => import("../release/publish.ts"),
    check: () => import("../release/check.ts"),
  },
};
