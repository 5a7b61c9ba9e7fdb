/** /healthz: this process answers. /readyz: and it can do its work. Kept apart, so that a database that is down restarts nothing. */
import type { FastifyInstance } from "fastify";
import * as z from "zod";
import { HttpProblem } from "./problem.ts";
import type { Readiness } from "./readiness.ts";
import type { ZodTypes } from "./zod-schemas.ts";

export const Status = z.strictObject({ status: z.literal("ok") });

/** Asked every few seconds: only their failures are worth a line. */
const logLevel = "error";

export function addProbes(instance: FastifyInstance, readiness: Readiness): void {
  const app = instance.withTypeProvider<ZodTypes>();
  const ok = { status: "ok" } as const;
  app.get(
    "/healthz",
    { logLevel, schema: { summary: "The process answers", response: { 200: Status } } },
    async () => ok,
  );
  app.get("/readyz", { logLevel, schema: { summary: "It can do its work", response: { 200: Status } } }, async () => {
    const problem = await readiness.problem();
    if (problem) throw new HttpProblem(503, problem, { headers: { "retry-after": "5" } });
    return ok;
  });
}
