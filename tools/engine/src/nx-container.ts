// Hands a buildx command line to @nx-tools/nx-container, so that what its users know works here too: INPUT_CACHE_FROM,
// INPUT_CACHE_TO (layer caches in GitHub's cache), INPUT_BUILDER (remote and kubernetes builders), INPUT_ALLOW, INPUT_ULIMIT.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";

interface Inputs {
  [name: string]: unknown;
  outputs: string[];
}

interface ContextModule {
  getInputs(context: string, options: Record<string, unknown>): Promise<Inputs>;
}

interface DockerModule {
  Docker: new () => {
    initialize(inputs: Inputs): Promise<void>;
    getBuildArgs(inputs: Inputs, base: string, context: string, version: string): Promise<string[]>;
    getCommonArgs(inputs: Inputs, version: string): Promise<string[]>;
    getBuildxVersion(): string;
  };
}

/** What Waybill's own argv sets already, so that it isn't there twice. */
const OURS = new Set(["--file", "--iidfile", "--metadata-file", "--output", "--platform", "--provenance", "--target"]);

/** @param args `buildx build …` without the context; returned with what nx-container's inputs add */
export async function nxContainerArguments(args: string[]): Promise<string[]> {
  if (!Object.keys(process.env).some((key) => key.startsWith("INPUT_"))) return args;
  const load = createRequire(import.meta.url);
  // By path: the package exports its executor's entry alone, which starts buildx itself.
  const base = join(dirname(load.resolve("@nx-tools/nx-container")), "executors/build");
  const { getInputs } = load(`${base}/context.js`) as ContextModule;
  const { Docker } = load(`${base}/engines/docker/docker.engine.js`) as DockerModule;
  const inputs = await getInputs(".", { quiet: true, outputs: ["type=oci"] });
  const engine = new Docker();
  await engine.initialize(inputs);
  const version = engine.getBuildxVersion();
  const more = [
    ...(await engine.getBuildArgs(inputs, ".", ".", version)),
    ...(await engine.getCommonArgs(inputs, version)),
  ];
  return [...args, ...withoutOurs(more.slice(1))];
}

/** nx-container writes each flag and its value as two arguments; switches have none. */
function withoutOurs(args: string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const flag = args[at] as string;
    const value = args[at + 1]?.startsWith("--") === false ? args[at + 1] : undefined;
    if (!OURS.has(flag)) kept.push(...(value === undefined ? [flag] : [flag, value]));
    if (value !== undefined) at += 1;
  }
  return kept;
}
