/** A graceful stop: a signal closes the doors, those inside are served, and a limit keeps one slow client from holding the process. */
import type { FastifyInstance } from "fastify";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** The handlers stay: a second signal must not kill what the first is finishing. */
export function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) process.on(signal, () => resolve(signal));
  });
}

/** Waits for the requests in flight. Gives true when all were answered within `limit` milliseconds, else their connections were cut. */
export async function closeApp(app: FastifyInstance, limit: number): Promise<boolean> {
  let cut = false;
  const timer = setTimeout(() => {
    cut = true;
    app.server.closeAllConnections();
  }, limit);
  await app.close();
  clearTimeout(timer);
  return !cut;
}
