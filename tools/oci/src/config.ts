// The config of an image: how it runs, and the story of its layers (image-spec, "Image Configuration"). Go programs write null
// for an empty list, so null is read as absent everywhere.

import { z } from "zod";
import { digestSchema } from "./descriptor.ts";

const strings = z.array(z.string()).nullish();
/** A Go set: the keys count, the values are {}. */
const set = z.record(z.string(), z.unknown()).nullish();

/** Docker's extension; the OCI spec reserves the name. Durations are in nanoseconds. */
const healthcheckSchema = z.object({
  Test: strings,
  Interval: z.number().optional(),
  Timeout: z.number().optional(),
  StartPeriod: z.number().optional(),
  StartInterval: z.number().optional(),
  Retries: z.number().optional(),
});

const historySchema = z.object({
  created: z.string().optional(),
  created_by: z.string().optional(),
  comment: z.string().optional(),
  /** True for a step that made no layer, as ENV does. */
  empty_layer: z.boolean().optional(),
});

export const configSchema = z.object({
  architecture: z.string(),
  os: z.string(),
  variant: z.string().optional(),
  created: z.string().optional(),
  config: z
    .object({
      User: z.string().nullish(),
      ExposedPorts: set,
      Env: strings,
      Entrypoint: strings,
      Cmd: strings,
      Volumes: set,
      WorkingDir: z.string().nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      StopSignal: z.string().nullish(),
      Healthcheck: healthcheckSchema.nullish(),
    })
    .nullish(),
  rootfs: z.object({ type: z.literal("layers"), diff_ids: z.array(digestSchema).nullish() }),
  history: z.array(historySchema).nullish(),
});
export type ImageConfig = z.infer<typeof configSchema>;
