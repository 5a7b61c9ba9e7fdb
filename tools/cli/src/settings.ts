// Settings of the workspace: the options of the plugin in nx.json, with what the environment says over them.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { workspaceRoot } from "@waybill/image/workspace";
import { check } from "@waybill/oci";
import { z } from "zod";

const options = z.strictObject({
  /** Where images are pushed and what charts and `image-values` name: a registry and a path. */
  registry: z.string().default("ghcr.io/acme/images"),
  /** In place of the first that works here. */
  engine: z.string().optional(),
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
  const written = check(options, typeof ours === "object" ? (ours.options ?? {}) : {}, file);
  return {
    ...written,
    ...(process.env["WAYBILL_REGISTRY"] === undefined ? {} : { registry: process.env["WAYBILL_REGISTRY"] }),
  };
}
