// Frees what the private engine keeps only to be faster next time.

import { run } from "@waybill/oci";
import { startEmbedded } from "./lifecycle.ts";
import { clientEnv } from "./paths.ts";

/** Deletes its build cache, loaded test images and stopped containers; images in Waybill's store stay. Returns what it freed. */
export async function pruneEmbedded(): Promise<string> {
  await startEmbedded();
  const options = { env: clientEnv(), check: true };
  const { stdout } = await run("docker", ["buildx", "prune", "--all", "--force"], options);
  await run("docker", ["image", "prune", "--all", "--force"], options);
  return `freed ${/Total:\s*(\S+)/.exec(stdout)?.[1] ?? "0B"} of build cache`;
}
