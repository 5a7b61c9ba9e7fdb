/** A supervisor of scripted workers, stopped after the test. */
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { type Patience, Supervisor } from "../../src/worker/supervisor.ts";

const SCRIPT = new URL("scripted-worker.ts", import.meta.url).pathname;

export interface Supervised {
  readonly supervisor: Supervisor;
  /** What the workers printed. */
  readonly lines: string[];
  /** Settles as `Supervisor.run` does. */
  readonly running: Promise<void>;
}

export function supervise(
  env: Record<string, string> = {},
  patience: Partial<Patience> = {},
  command = [process.execPath, SCRIPT],
): Supervised {
  const lines: string[] = [];
  const options = { command, env, onLine: (line: string) => void lines.push(line) };
  const supervisor = new Supervisor(options, {
    firstDelay: 5,
    longestDelay: 20,
    starts: 3,
    loading: 60_000,
    batch: 60_000,
    ...patience,
  });
  const running = supervisor.run();
  running.catch(() => {}); // the tests that want to know await it
  onTestFinished(async () => {
    await supervisor.stop();
    await running.catch(() => {});
  });
  return { supervisor, lines, running };
}

export async function untilUp(supervisor: Supervisor): Promise<void> {
  if (!supervisor.model) await once(supervisor, "up");
}
