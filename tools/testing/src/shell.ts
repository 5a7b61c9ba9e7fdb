// For images that have a shell: a script runs in a new container, to its end.

import { builtImage } from "./built-image.ts";
import type { ContainerOptions } from "./container.ts";

interface Finished {
  exitCode: number;
  /** Without white space around it. */
  stdout: string;
  stderr: string;
}

export type Shell = (script: string, options?: ContainerOptions) => Promise<Finished>;

/** A shell in the built image of that name: read-only root, with /tmp and /src to write and execute in. */
export async function shellIn(name: string): Promise<Shell> {
  const image = await builtImage(name);
  return async (script, options = {}) => {
    const args = ["/bin/sh", "-euc", script];
    const container = await image.run({ args, tmpfs: ["/tmp:exec", "/src:exec"], ...options });
    const { exitCode } = await container.exited();
    return { exitCode, stdout: container.stdout.trim(), stderr: container.stderr };
  };
}
