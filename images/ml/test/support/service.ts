/** The HTTP service on a free port, with scripted workers; closed after the test. */
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { onTestFinished } from "vitest";
import { type AppConfig, buildApp } from "../../src/http/app.ts";
import type { Patience, Supervisor } from "../../src/worker/supervisor.ts";
import { supervise, untilUp } from "./supervised.ts";

export interface Service {
  readonly app: FastifyInstance;
  readonly supervisor: Supervisor;
  readonly url: string;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

interface Options {
  readonly config?: Partial<AppConfig>;
  readonly env?: Record<string, string>;
  readonly patience?: Partial<Patience>;
}

export async function startService({ config = {}, env = {}, patience = {} }: Options = {}): Promise<Service> {
  const { supervisor } = supervise(env, patience);
  const defaults = { modelName: "tiny", batchTexts: 4, queueTexts: 64, bodyLimit: 4096, logLevel: "silent" };
  const app = buildApp({ ...defaults, ...config }, supervisor);
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  if (env["BEHAVIOUR"] === undefined) await untilUp(supervisor);
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const post: Service["post"] = (path, body, headers = { "content-type": "application/json" }) =>
    fetch(url + path, { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) });
  return { app, supervisor, url, post };
}
