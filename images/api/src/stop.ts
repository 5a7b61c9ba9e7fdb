/** A graceful stop: a signal closes the doors, those inside are served, and a limit keeps one slow client from holding the process. */
import type { FastifyInstance } from "fastify";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/**
 * Waits for a signal, then for the requests in flight. Gives 0 when all were answered within `limit` milliseconds,
 * else 1, with their connections cut.
 */
export async function untilStopped(app: FastifyInstance, limit: number): Promise<number> {
  const signal = await nextSignal();
  app.log.info({ signal }, "stopping");
  let cut = false;
  const timer = setTimeout(() => {
    cut = true;
    app.server.closeAllConnections();
  }, limit);
  await app.close();
  clearTimeout(timer);
  if (cut) app.log.error({ limit }, "requests were still in flight at the limit: their connections were cut");
  else app.log.info("stopped");
  return cut ? 1 : 0;
}

/** The handlers stay: a second signal must not kill what the first is finishing. */
function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) process.on(signal, () => resolve(signal));
  });
}
