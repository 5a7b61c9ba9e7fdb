// The registry that a release is about.

import { type Values, text } from "../command.ts";
import { settings } from "../settings.ts";

/** Every action takes it. */
export const REGISTRY = { registry: { type: "string" } } as const;

/** `--registry`, else as charts name it. */
export const registryOf = async (values: Values): Promise<string> =>
  text(values, "registry") ?? (await settings()).registry;
