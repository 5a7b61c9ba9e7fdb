// What an image declares under `metadata.image` of its project.json: only what can't be read from its Dockerfile.

import { filesDeclaration, packagesDeclaration, upstreamDeclaration } from "@waybill/lock/declaration";
import { sourceDeclaration } from "@waybill/lock/source/declaration";
import { z } from "zod";

const UNITS = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 } as const;

/** "45 MB" in bytes. Decimal units, as registries and disks count. */
const size = z
  .string()
  .regex(/^\d+(\.\d+)? ?(B|kB|MB|GB)$/, 'a size is a number with B, kB, MB or GB, such as "45 MB"')
  .transform((text) => {
    const [, amount, unit] = /^([\d.]+) ?(\w+)$/.exec(text) as RegExpExecArray;
    return Math.round(Number(amount) * UNITS[unit as keyof typeof UNITS]);
  });

const platform = z.string().regex(/^linux\/(amd64|arm64)$/, 'a platform is "linux/amd64" or "linux/arm64"');

const reason = (word: string): z.ZodString =>
  z.string().regex(new RegExp(`^${word}: \\S.{9,}`), `write "${word}: " and the reason, in ten characters or more`);

const variant = z.strictObject({
  target: z.string(),
  when: z.literal("asked").optional().describe("Built only with --variant or WAYBILL_VARIANTS=image:variant"),
});

export const imageMetadata = z.strictObject({
  platforms: z.array(platform).min(1).default(["linux/amd64"]).describe("What is built when no --platform is given"),
  budget: z
    .strictObject({
      compressed: size.optional().describe("Sum of the layers as a registry stores them, for each platform"),
      unpacked: size.optional().describe("Sum of the layers as tars, for each platform"),
      context: size.optional().describe("The build context after .dockerignore"),
    })
    .prefault({})
    .describe("Sizes that may not be exceeded; `nx size` is the gate"),
  buildArgs: z
    .record(z.string(), z.string())
    .default({})
    .describe("Build args and their values; each must be consumed"),
  variants: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9-]*$/), variant)
    .default({})
    .describe("More images of the same Dockerfile, a stage each, such as debug"),
  compression: z
    .enum(["small", "fast", "gzip"])
    .default("small")
    .describe('How layers are stored: "small" (zstd, slow to write), "fast" (zstd, for what is not shipped), "gzip"'),
  healthcheck: reason("none").optional().describe("Why the image has no HEALTHCHECK"),
  user: reason("root").optional().describe("Why the image runs as root"),
  repository: z.string().optional().describe("Its path in the registry, where that isn't its name"),
  upstream: upstreamDeclaration.optional(),
  source: sourceDeclaration.optional(),
  packages: packagesDeclaration.default({}),
  files: filesDeclaration.default({}),
});

export type ImageMetadata = z.output<typeof imageMetadata>;

/** project.json of an image, as editors should complete it. */
export const projectFile = z.looseObject({
  $schema: z.string().optional(),
  name: z
    .string()
    .regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/, "an image's name is lower-case letters, digits, and . _ - between"),
  tags: z.array(z.string()).default([]),
  metadata: z.looseObject({ image: imageMetadata.prefault({}) }).prefault({}),
});
