// The index of an image: a manifest a platform (image-spec, "Image Index"). Waybill names every image by an index, even one for
// a single platform, so that adding a platform changes nothing about how an image is named.

import { z } from "zod";
import { annotationsSchema, descriptorSchema } from "./descriptor.ts";

export const indexSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  manifests: z.array(descriptorSchema),
  subject: descriptorSchema.optional(),
  annotations: annotationsSchema.optional(),
});
export type ImageIndex = z.infer<typeof indexSchema>;
