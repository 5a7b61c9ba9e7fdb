// A descriptor points at content: type, digest, size (image-spec, "Content Descriptors").

import { z } from "zod";
import { digestSchema } from "./digest.ts";
import { platformSchema } from "./platform.ts";

export const annotationsSchema = z.record(z.string(), z.string());

export const descriptorSchema = z.object({
  mediaType: z.string().min(1),
  digest: digestSchema,
  /** In bytes. */
  size: z.int().nonnegative(),
  urls: z.array(z.string()).optional(),
  annotations: annotationsSchema.optional(),
  artifactType: z.string().optional(),
  platform: platformSchema.optional(),
});
export type Descriptor = z.infer<typeof descriptorSchema>;
