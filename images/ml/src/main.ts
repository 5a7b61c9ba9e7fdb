/** The image's entrypoint and its first process: the front door, which starts and watches the Python worker. */
import { Failure } from "./failure.ts";
import { nextSignal } from "./stop.ts";

type Mode = () => Promise<number>;

/** Loaded on demand: `health` runs every few seconds and must not pay for Fastify. */
const modes: Record<string, Mode> = {
  serve: async () => {
    // Before anything is loaded: a first process without a handler gets no SIGTERM, and its container is killed after the grace period.
    const signal = nextSignal();
    return (await import("./serve.ts")).serve(process.env, signal);
  },
  health: async () => (await import("./health.ts")).health(process.env),
};

/** The mode's name: the first argument, else WAYBILL_MODE, else `serve`. */
function modeName(): string {
  return process.argv[2] ?? (process.env["WAYBILL_MODE"] || "serve");
}

async function main(): Promise<number> {
  const name = modeName();
  const mode = Object.hasOwn(modes, name) ? modes[name] : undefined;
  if (mode) return mode();
  console.error(`unknown mode ${JSON.stringify(name)}: use one of ${Object.keys(modes).join(", ")}`);
  return 2;
}

function report(error: unknown): number {
  console.error(error instanceof Failure ? error.message : error);
  return error instanceof Failure ? error.exitCode : 1;
}

// Everything has been closed by now; whatever still holds the event loop must not hold the container.
process.exit(await main().catch(report));
