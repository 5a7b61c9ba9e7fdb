// Asks a Docker API socket whether it serves (Docker Engine API, GET /_ping).

import { setTimeout as delay } from "node:timers/promises";
import { request } from "@waybill/oci/http";

export function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const ask = request({ socketPath, path: "/_ping", timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ask.on("error", () => resolve(false)).on("timeout", () => ask.destroy());
    ask.end();
  });
}

/** Resolves once the socket answers, with true; with false after `limitMs`. */
export async function ping(socketPath: string, limitMs = 30_000): Promise<boolean> {
  const end = Date.now() + limitMs;
  while (!(await answers(socketPath))) {
    if (Date.now() > end) return false;
    await delay(25);
  }
  return true;
}
