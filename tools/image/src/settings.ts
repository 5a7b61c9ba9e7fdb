// Settings of the workspace: the options of the plugin in nx.json.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { workspaceRoot } from "./workspace.ts";

const PLUGIN = "@waybill/nx-plugin";

/** The plugin's options as they are written, unchecked; empty where it has none. */
export async function pluginOptions(root = workspaceRoot()): Promise<object> {
  const { plugins = [] } = JSON.parse(await readFile(join(root, "nx.json"), "utf8")) as { plugins?: unknown[] };
  for (const each of plugins) {
    const { plugin, options } = (each ?? {}) as { plugin?: unknown; options?: object };
    if (plugin === PLUGIN) return options ?? {};
  }
  return {};
}
