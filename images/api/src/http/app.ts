/** The HTTP service, put together; listening is the caller's. */
import { randomUUID } from "node:crypto";
import Fastify, { type FastifyInstance } from "fastify";
import type { Config } from "../config.ts";
import type { Database } from "../database/database.ts";
import { ImageStore } from "../image-store.ts";
import { imageRoutes } from "./image-routes.ts";
import { addMetrics } from "./metrics.ts";
import { addOpenApi } from "./openapi.ts";
import { addProbes } from "./probes.ts";
import { answerError, HttpProblem } from "./problem.ts";
import { Readiness } from "./readiness.ts";
import { useZod } from "./zod-schemas.ts";

/** What a proxy in front may have called the request; anything else could forge log lines. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** How long a client may take to send a request. Milliseconds. */
const REQUEST_TIMEOUT = 30_000;

export type AppConfig = Pick<Config, "apiToken" | "bodyLimit" | "logLevel">;

export async function buildApp(config: AppConfig, database: Database): Promise<FastifyInstance> {
  const app = Fastify({
    logger: { level: config.logLevel, redact: ["req.headers.authorization"] },
    bodyLimit: config.bodyLimit,
    requestTimeout: REQUEST_TIMEOUT,
    routerOptions: { maxParamLength: 256 }, // a longer one can't be a name or a digest
    frameworkErrors: answerError,
    genReqId: (request) => known(request.headers["x-request-id"]) ?? randomUUID(),
  });
  const readiness = new Readiness(database);
  useZod(app);
  app.removeContentTypeParser("text/plain"); // Fastify's own: it would pass for a body of ours
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request) => {
    throw new HttpProblem(
      404,
      `there is no ${request.method} ${request.url.split("?")[0]}: /openapi.json lists what there is`,
    );
  });
  app.addHook("onRequest", async (request, reply) => void reply.header("x-request-id", request.id));
  addOpenApi(app); // first, to see the others' routes
  const metrics = addMetrics(app);
  addProbes(app, readiness);
  addStop(app, readiness);
  await app.register(imageRoutes, {
    store: new ImageStore(database),
    apiToken: config.apiToken,
    recorded: metrics.recorded,
  });
  return app;
}

/** Fastify closes idle connections when it stops, not those that become idle by the answer they waited for: they are told to go. */
function addStop(app: FastifyInstance, readiness: Readiness): void {
  app.addHook("preClose", async () => readiness.stop());
  app.addHook("onSend", async (_request, reply) => {
    if (readiness.stopping) reply.header("connection", "close");
  });
}

function known(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && REQUEST_ID.test(header) ? header : undefined;
}
