/** /metrics in Prometheus' text format: the process, the requests by route, and what became of the records. */
import type { FastifyInstance } from "fastify";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Outcome } from "../image-store.ts";

export function addMetrics(app: FastifyInstance): { recorded: (result: Outcome["result"]) => void } {
  const registers = [new Registry()];
  collectDefaultMetrics({ register: registers[0]! });
  const inFlight = new Gauge({ name: "http_requests_in_flight", help: "Requests being answered", registers });
  const seconds = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time to answer, by route",
    labelNames: ["method", "route", "status"],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const records = new Counter({
    name: "waybill_records_total",
    help: "Records sent, by what became of them",
    labelNames: ["result"],
    registers,
  });

  app.addHook("onRequest", async () => inFlight.inc());
  app.addHook("onResponse", async (request, reply) => {
    inFlight.dec();
    // The route's pattern, not the path: strangers must not be able to make series.
    const route = request.routeOptions.url ?? "none";
    seconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
  });
  app.get("/metrics", { logLevel: "error", schema: { summary: "Prometheus metrics" } }, async (_request, reply) => {
    return reply.type(registers[0]!.contentType).send(await registers[0]!.metrics());
  });
  return { recorded: (result) => records.inc({ result }) };
}
