/** The mode `serve`: the HTTP service and its worker, until a signal asks them to stop or the worker can't be kept. */
import type { FastifyInstance } from "fastify";
import { type Config, readConfig } from "./config.ts";
import type { Environment } from "./environment.ts";
import { Failure } from "./failure.ts";
import { buildApp } from "./http/app.ts";
import { closeApp } from "./stop.ts";
import { PATIENCE, Supervisor } from "./worker/supervisor.ts";

/** Where the image has it. */
const WORKER = ["/app/venv/bin/python", "-m", "ml_worker"];

/** For the answers that there is no worker any more. Milliseconds. */
const LAST_WORDS = 1_000;

/** Resolves with the exit code after the service has stopped; rejects with a `Failure` that says why there is no use in going on. */
export async function serve(environment: Environment, signal: Promise<NodeJS.Signals>): Promise<number> {
  const config = readConfig(environment);
  const env = { ...environment, ...config.worker };
  const patience = { ...PATIENCE, batch: config.batchMilliseconds };
  const supervisor = new Supervisor(
    { command: WORKER, env, onLine: (line) => app.log.warn({ worker: line }) },
    patience,
  );
  const app = buildApp(config, supervisor);
  logWorker(app, supervisor);
  await listen(app, config);
  const running = supervisor.run();
  try {
    const name = await Promise.race([signal, running]);
    app.log.info({ signal: name }, "stopping");
    return (await stop(app, supervisor, config.shutdownMilliseconds)) ? 0 : 1;
  } catch (error) {
    await closeApp(app, LAST_WORDS);
    throw error;
  }
}

async function stop(app: FastifyInstance, supervisor: Supervisor, limit: number): Promise<boolean> {
  const all = await closeApp(app, limit);
  await supervisor.stop();
  if (all) app.log.info("stopped");
  else app.log.error({ limit }, "requests were still in flight at the limit: their connections were cut");
  return all;
}

function logWorker(app: FastifyInstance, supervisor: Supervisor): void {
  supervisor.on("up", (model) => app.log.info({ model }, "the model is loaded"));
  supervisor.on("down", (how) => app.log.error({ how }, "the worker ended"));
}

async function listen(app: FastifyInstance, { host, port }: Config): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const why = (error as Error).message;
    throw new Failure(`can't listen on ${host}:${port} (${why}): set HOST or PORT`, 1, { cause: error });
  }
}
