/** These tests start databases and programs: seconds on a busy machine. What they wait for is a condition, so patience costs nothing. */
import { vi } from "vitest";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });
