/**
 * /healthz: this process answers. /readyz: and a worker has the model. Kept apart, so that a worker that died, which is started
 * again here, restarts no container.
 */
import type { FastifyInstance } from "fastify";
import { unavailable } from "./api-error.ts";

/** Asked every few seconds: only their failures are worth a line. */
const logLevel = "error";

/** @param problem why not ready, undefined when ready */
export function addProbes(app: FastifyInstance, problem: () => string | undefined): void {
  const ok = { status: "ok" };
  app.get("/healthz", { logLevel }, async () => ok);
  app.get("/readyz", { logLevel }, async () => {
    const reason = problem();
    if (reason !== undefined) throw unavailable(reason);
    return ok;
  });
}
