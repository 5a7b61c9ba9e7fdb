/** The HTTP service, put together; listening is the caller's. */
import { randomUUID } from "node:crypto";
import Fastify, { type FastifyInstance } from "fastify";
import { Batcher } from "../batcher.ts";
import type { Config } from "../config.ts";
import type { Supervisor } from "../worker/supervisor.ts";
import { WorkerGone } from "../worker/worker.ts";
import { answerError, ApiError } from "./api-error.ts";
import { addEmbeddings } from "./embeddings.ts";
import { Inference } from "./inference.ts";
import { Metrics } from "./metrics.ts";
import { addModels } from "./models.ts";
import { addProbes } from "./probes.ts";
import { addRerank } from "./rerank.ts";

/** What a proxy in front may have called the request; anything else could forge log lines. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** With UTF-16 in memory, 128 MB. */
const QUEUE_CHARACTERS = 64 * 1024 * 1024;

/** How long a client may take to send a request. Milliseconds. */
const REQUEST_TIMEOUT = 30_000;

export type AppConfig = Pick<Config, "modelName" | "batchTexts" | "queueTexts" | "bodyLimit" | "logLevel">;

export function buildApp(config: AppConfig, supervisor: Supervisor): FastifyInstance {
  const app = Fastify({
    logger: { level: config.logLevel },
    bodyLimit: config.bodyLimit,
    requestTimeout: REQUEST_TIMEOUT,
    frameworkErrors: answerError,
    genReqId: (request) => known(request.headers["x-request-id"]) ?? randomUUID(),
  });
  app.removeContentTypeParser("text/plain"); // Fastify's own: it would pass for a body of ours
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request) => {
    const message = `there is no ${request.method} ${request.url.split("?")[0]}`;
    throw new ApiError(404, message, { code: "unknown_url" });
  });
  app.addHook("onRequest", async (request, reply) => void reply.header("x-request-id", request.id));
  addRoutes(app, config, supervisor);
  return app;
}

function addRoutes(app: FastifyInstance, config: AppConfig, supervisor: Supervisor): void {
  const metrics = new Metrics();
  const batcher = new Batcher({
    ask: (question) => supervisor.ask(question),
    batchTexts: config.batchTexts,
    queueTexts: config.queueTexts,
    queueCharacters: QUEUE_CHARACTERS,
    onBatch: (texts, seconds) => {
      metrics.batchTexts.observe(texts);
      metrics.batchSeconds.observe(seconds);
    },
  });
  supervisor.on("down", (how) => {
    metrics.restarts.inc();
    batcher.failWaiting(new WorkerGone(`the worker ended: ${how}`));
  });
  metrics.watch("ml_queue_texts", "Texts that wait for the worker", () => batcher.waiting);
  metrics.watch("ml_worker_ready", "1 when a worker has the model", () => (supervisor.model ? 1 : 0));
  metrics.addTo(app);
  const stopping = addStop(app);
  addProbes(app, () => (stopping() ? "stopping" : supervisor.model ? undefined : "the model is not loaded yet"));
  const inference = new Inference(supervisor, batcher, metrics, config);
  addModels(app, inference);
  addEmbeddings(app, inference);
  addRerank(app, inference);
}

/** Fastify closes idle connections when it stops, not those that become idle by the answer they waited for: they are told to go. */
function addStop(app: FastifyInstance): () => boolean {
  let stopping = false;
  app.addHook("preClose", async () => void (stopping = true));
  app.addHook("onSend", async (_request, reply) => {
    if (stopping) reply.header("connection", "close");
  });
  return () => stopping;
}

function known(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && REQUEST_ID.test(header) ? header : undefined;
}
