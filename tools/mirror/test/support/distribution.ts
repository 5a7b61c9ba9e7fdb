// Distribution (Debian's docker-registry) on the files that were written for it, until the test ends.

import { join } from "node:path";
import { startDaemon } from "./daemon.ts";

/**
 * @param folder of the files
 * @param ports by the files' names: "own", and an upstream's each
 */
export async function startDistribution(folder: string, ports: Readonly<Record<string, number>>): Promise<void> {
  // With a CA bundle, its S3 driver refuses to start.
  const env = { OTEL_TRACES_EXPORTER: "none", REGISTRY_AUTH_FILE: undefined, AWS_CA_BUNDLE: undefined };
  for (const [file, port] of Object.entries(ports)) {
    const listens = async (): Promise<boolean> =>
      await fetch(`http://127.0.0.1:${port}/v2/`).then(
        ({ ok }) => ok,
        () => false,
      );
    await startDaemon("docker-registry", ["serve", join(folder, `${file}.yml`)], listens, env);
  }
}
