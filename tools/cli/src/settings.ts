// Settings of the workspace: the options of the plugin in nx.json, with what the environment says over them.

import { join } from "node:path";
import { pluginOptions } from "@waybill/image/settings";
import { workspaceRoot } from "@waybill/image/workspace";
import { WaybillError, check } from "@waybill/oci";
import { z } from "zod";

const options = z.strictObject({
  /** What charts and `image-values` name, and where images are pushed once it is written: a registry and a path. */
  registry: z.string().default("ghcr.io/acme/images"),
  /** Where charts are published; beside the images by default: "ghcr.io/acme/charts" for "ghcr.io/acme/images". */
  charts: z.string().optional(),
  /** Where the source is, for annotations of what is released: "https://github.com/acme/images". */
  source: z.string().optional(),
  /** Writes digests into charts beside the tags. */
  pinDigests: z.boolean().default(false),
  /** Where advisories come from, in place of OSV's own service: a mirror's address, or a folder of its files. */
  osv: z.string().optional(),
  /** In place of the first that works here. */
  engine: z.string().optional(),
  /** Where results and images are shared: a registry and a repository. */
  remoteCache: z.string().optional(),
  /** Whose signatures count there. */
  remoteCacheKeys: z.array(z.string()).optional(),
});

export type Settings = z.output<typeof options>;

/** Where nx.json or the environment says that images are pushed; undefined where neither does. */
export async function configuredRegistry(): Promise<string | undefined> {
  const { registry } = (await pluginOptions()) as { registry?: unknown };
  return process.env["WAYBILL_REGISTRY"] ?? (registry === undefined ? undefined : (await settings()).registry);
}

export const SAY_WHERE =
  '--registry HOST/PATH, $WAYBILL_REGISTRY, or "registry" in the options of @waybill/nx-plugin in nx.json';

/** Where what is released goes: nobody guesses that. @throws {WaybillError} nobody has said */
export async function requiredRegistry(flag: string | undefined): Promise<string> {
  const registry = flag ?? (await configuredRegistry());
  if (registry === undefined) throw new WaybillError("no registry is configured", { mend: SAY_WHERE });
  return registry;
}

export async function settings(): Promise<Settings> {
  const written = check(options, await pluginOptions(), join(workspaceRoot(), "nx.json"));
  return {
    ...written,
    ...(process.env["WAYBILL_REGISTRY"] === undefined ? {} : { registry: process.env["WAYBILL_REGISTRY"] }),
  };
}
