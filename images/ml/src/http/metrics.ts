/** /metrics in Prometheus' text format: the process, the requests by route, the queue, the batches, and the worker. */
import type { FastifyInstance } from "fastify";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export class Metrics {
  readonly registry = new Registry();
  readonly #registers = [this.registry];
  readonly texts = new Counter({
    name: "ml_texts_total",
    help: "Texts that got an answer",
    labelNames: ["kind"],
    registers: this.#registers,
  });
  readonly tokens = new Counter({
    name: "ml_tokens_total",
    help: "Their tokens",
    labelNames: ["kind"],
    registers: this.#registers,
  });
  readonly batchTexts = new Histogram({
    name: "ml_batch_texts",
    help: "Texts a batch",
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024],
    registers: this.#registers,
  });
  readonly batchSeconds = new Histogram({
    name: "ml_batch_duration_seconds",
    help: "Time from a batch to its answer",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers: this.#registers,
  });
  readonly restarts = new Counter({
    name: "ml_worker_restarts_total",
    help: "Times the worker died and was started again",
    registers: this.#registers,
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** A gauge that is read when it is asked for. */
  watch(name: string, help: string, read: () => number): void {
    const gauge = new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(read());
      },
    });
    this.registry.registerMetric(gauge);
  }

  /** Adds /metrics, and the requests by route. */
  addTo(app: FastifyInstance): void {
    const registers = this.#registers;
    const inFlight = new Gauge({ name: "http_requests_in_flight", help: "Requests being answered", registers });
    const seconds = new Histogram({
      name: "http_request_duration_seconds",
      help: "Time to answer, by route",
      labelNames: ["method", "route", "status"],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    app.addHook("onRequest", async () => inFlight.inc());
    app.addHook("onResponse", async (request, reply) => {
      inFlight.dec();
      // The route's pattern, not the path: strangers must not be able to make series.
      const route = request.routeOptions.url ?? "none";
      seconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
    });
    app.get("/metrics", { logLevel: "error" }, async (_request, reply) =>
      reply.type(this.registry.contentType).send(await this.registry.metrics()),
    );
  }
}
