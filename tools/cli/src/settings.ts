// Settings of the workspace: the options of the plugin in nx.json, with what the environment says over them.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { workspaceRoot } from "@waybill/image";
import { z } from "zod";

const options = z.strictObject({
  /** Where images are pushed and what charts and `image-values` name: a registry and a path. */
  registry: z.string().default("ghcr.io/acme/images"),
});

export type Settings = z.output<typeof options>;

const nxFile = z.looseObject({
  plugins: z
    .array(z.union([z.string(), z.looseObject({ plugin: z.string(), options: z.unknown().optional() })]))
    .default([]),
});

export async function settings(): Promise<Settings> {
  const file = join(workspaceRoot(), "nx.json");
  const { plugins } = nxFile.parse(JSON.parse(await readFile(file, "utf8")));
  const ours = plugins.find((plugin) => typeof plugin !== "string" && plugin.plugin === "@waybill/nx-plugin");
  const written = options.parse(typeof ours === "object" ? (ours.options ?? {}) : {});
  return {
    ...written,
    ...(process.env["WAYBILL_REGISTRY"] === undefined ? {} : { registry: process.env["WAYBILL_REGISTRY"] }),
  };
}
