// waybill cache …: the remote cache, for who looks after it.

import type { Group } from "../command.ts";

export const command: Group = {
  summary: "the remote cache: what is in it, what has had its time, a key that signs",
  actions: {
    prune: () => import("../cache/prune.ts"),
    stats: () => import("../cache/stats.ts"),
    key: () => import("../cache/key.ts"),
  },
};
