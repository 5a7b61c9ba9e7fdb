/** The mode `health`: asks the service beside it, for HEALTHCHECK, since the image has no shell and no curl. */
import { get } from "node:http";
import { DEFAULT_PORT, type Environment } from "./environment.ts";

/** Gives 0 when /healthz answers 200 within two seconds, else 1 with the reason on stderr. */
export async function health(environment: Environment): Promise<number> {
  const problem = await ask(Number(environment["PORT"] || DEFAULT_PORT));
  if (problem) console.error(problem);
  return problem ? 1 : 0;
}

function ask(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port, path: "/healthz", timeout: 2_000, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? undefined : `/healthz answers ${response.statusCode}`);
    });
    request.on("timeout", () => request.destroy(new Error("no answer within 2 s")));
    request.on("error", (error) => resolve(`127.0.0.1:${port}: ${error.message}`));
  });
}
