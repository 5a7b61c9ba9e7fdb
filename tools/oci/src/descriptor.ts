// A descriptor points at content: type, digest, size (image-spec, "Content Descriptors").

import { z } from "zod";
import type { Digest } from "./digest.ts";
import { platformSchema } from "./platform.ts";

/** zod can't infer a template literal type from a pattern, hence the assertion. */
export const digestSchema = z
  .string()
  .regex(/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/, "not a digest")
  .meta({ description: "The digest of content: sha256:<64 hex> or sha512:<128 hex>" }) as unknown as z.ZodType<
  Digest,
  Digest
>;

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
