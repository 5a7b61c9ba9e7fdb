// Settings of every test run. `waybill unit` and `waybill test` pass the folder.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    globalSetup: ["./vitest.temporary.ts"],
    // Tests start real programs and containers, on machines that do other things too: a limit is for what hangs, not for what is slow.
    testTimeout: 60_000,
    hookTimeout: 180_000,
  },
});
