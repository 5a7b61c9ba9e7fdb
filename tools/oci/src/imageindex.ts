// The index of an image: a manifest a platform (image-spec, "Image Index"). Waybill names every image by an index, even one for
// a single platform, so that adding a platform changes nothing about how an image is named.

import { z } from "zod";
import { annotationsSchema, descriptorSchema } from "./descriptor.ts";
import type { Descriptor } from "./descriptor.ts";
import { parsePlatform } from "./platform.ts";

export const indexSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  manifests: z.array(descriptorSchema),
  subject: descriptorSchema.optional(),
  annotations: annotationsSchema.optional(),
});
export type ImageIndex = z.infer<typeof indexSchema>;

/** The entry of an index for a platform ("linux/amd64"). A variant that only one of the two names doesn't matter. */
export function manifestOfPlatform({ manifests }: ImageIndex, platform: string): Descriptor | undefined {
  const wanted = parsePlatform(platform);
  const fitting = manifests.filter(
    ({ platform: of }) => of?.os === wanted.os && of?.architecture === wanted.architecture,
  );
  return fitting.find(({ platform: of }) => of?.variant === wanted.variant) ?? fitting[0];
}
