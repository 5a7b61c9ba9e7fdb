// What an image asks of an upstream git repository: `metadata.image.source` of its project.json.

import { z } from "zod";

/** No option of git's, no transport that runs a program ("ext::"), and no credentials, which would end up in the lock. */
const REPOSITORY =
  /^(?:(?:https?|file):\/\/[^\s@]+|ssh:\/\/(?:[\w.-]+@)?[^\s@:]+\S*|[\w.-]+@[\w.-]+:\S+|[\w][\w./-]*\.bundle)$/;

/** A tag, a branch or a commit; git-check-ref-format(1), without what no release is called. */
const VERSION = /^(?!.*\.\.)[A-Za-z0-9][\w./+-]*$/;

const below = z
  .string()
  .regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$)).+$/, "a path of the repository, such as Dockerfile or docker/Dockerfile");

export const sourceRepository = z
  .string()
  .regex(
    REPOSITORY,
    "a repository is https://…, ssh://…, git@host:path, or a git bundle (x.bundle) of the image's folder",
  );

export const sourceVersion = z.string().regex(VERSION, "a version is a tag, a branch or a commit");

export const sourceDeclaration = z
  .strictObject({
    repository: sourceRepository.describe("https://…, ssh://…, git@host:path, or a git bundle in the image's folder"),
    version: sourceVersion.describe("Tag, branch or commit; image.lock.json pins the commit"),
    dockerfile: below.default("Dockerfile").describe("Upstream's Dockerfile"),
    context: below.default(".").describe("The folder of the repository that is the build context"),
    bases: z
      .record(z.string().min(1), z.string().min(1))
      .default({})
      .describe("What stands in for images that upstream's Dockerfile names, such as waybill/node for node:24-alpine"),
  })
  .meta({
    description: "An upstream git repository whose own Dockerfile makes the image. patches/*.patch are applied",
  });

export type SourceDeclaration = z.output<typeof sourceDeclaration>;

/** True for a bundle, which lies in the image's folder. */
export const isBundle = (repository: string): boolean => !/^[\w+]+:\/\/|^[\w.-]+@/.test(repository);
