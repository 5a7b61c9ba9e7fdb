// The program under test: the built image, or, while developing, a binary on this machine named by KUBE_OIDC_PROXY.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { builtImage } from "@waybill/testing";
import type { BuiltImage } from "@waybill/testing";

const BINARY = process.env["KUBE_OIDC_PROXY"];

/** What is true of an image only can't be tested on a binary. */
export const ON_BINARY = BINARY !== undefined;

let image: Promise<BuiltImage> | undefined;

export interface Exit {
  exitCode: number | null;
  signal: string | null;
}

export interface Running {
  /** The container's name, empty for a binary. */
  readonly container: string;
  /** Both outputs so far. */
  readonly log: string;
  readonly ended: Exit | undefined;
  exited(): Promise<Exit>;
  stop(signal: NodeJS.Signals): Promise<Exit>;
}

/** Starts the program; it reads files in `folder`, which is where it is on this machine too. */
export function startProgram(args: string[], folder?: string): Promise<Running> {
  return BINARY === undefined ? startImage(args, folder) : startBinary(BINARY, args);
}

async function startImage(args: string[], folder?: string): Promise<Running> {
  image ??= builtImage("oidc-proxy");
  const mounts = folder === undefined ? [] : [{ source: folder, target: folder, readOnly: true }];
  const container = await (await image).run({ args, mounts });
  let ended: Exit | undefined;
  const exited = container.exited().then((exit) => (ended = exit));
  return {
    container: container.name,
    get log() {
      return container.stdout + container.stderr;
    },
    get ended() {
      return ended;
    },
    exited: () => exited,
    stop: (signal) => container.stop(signal),
  };
}

function startBinary(binary: string, args: string[]): Promise<Running> {
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  let ended: Exit | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => (log += chunk));
  }
  const exited = once(child, "close").then(
    ([exitCode, signal]) => (ended = { exitCode: exitCode as number | null, signal: signal as string | null }),
  );
  return Promise.resolve({
    container: "",
    get log() {
      return log;
    },
    get ended() {
      return ended;
    },
    exited: () => exited,
    stop: (signal) => {
      child.kill(signal);
      return exited;
    },
  });
}
