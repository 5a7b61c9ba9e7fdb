// The manifest of one image for one platform: its config and its layers, bottom first (image-spec, "Image Manifest").

import { z } from "zod";
import { annotationsSchema, descriptorSchema } from "./descriptor.ts";

export const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  /** The spec lets old writers leave it out. */
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: descriptorSchema,
  layers: z.array(descriptorSchema),
  subject: descriptorSchema.optional(),
  annotations: annotationsSchema.optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;
