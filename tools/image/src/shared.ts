// Code that several images are built from: a folder of images/shared, which a Dockerfile reaches as the build context
// `shared-<name>`. It is no image and ships nowhere by itself: what is seen of it belongs to each image that names it.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Edge } from "@waybill/dockerfile";
import { WaybillError } from "@waybill/oci/error";
import { workspaceRoot } from "./workspace.ts";

/** Relative to the workspace. */
const SHARED = "images/shared";

/** The folder's name, or undefined for a reference that means something else. */
export function parseSharedContext(reference: string): string | undefined {
  return /^shared-([a-z0-9][a-z0-9-]*)$/.exec(reference)?.[1];
}

/** The shared folder that a reference means, relative to the workspace; whether it is there is another question. */
export const sharedPath = (name: string): string => `${SHARED}/${name}`;

/** The names of the shared folders. */
export function sharedNames(root = workspaceRoot()): string[] {
  if (!existsSync(join(root, SHARED))) return [];
  const entries = readdirSync(join(root, SHARED), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** What is wrong with a name that is no shared folder's, and how to mend it. */
export function noShared(name: string, names: readonly string[]): { message: string; mend: string } {
  const mend = names.length === 0 ? "make it" : `the shared folders are ${names.toSorted().join(", ")}`;
  return { message: `there is no folder ${sharedPath(name)}`, mend };
}

/**
 * The folder, as an absolute path.
 * @param where the line that asks for it, for the error
 * @throws {WaybillError} there is no such folder
 */
export function sharedFolder(name: string, where: string): string {
  const root = workspaceRoot();
  const names = sharedNames(root);
  if (names.includes(name)) return join(root, sharedPath(name));
  const { message, mend } = noShared(name, names);
  throw new WaybillError(message, { where, mend });
}

/** The shared folders among the edges of a Dockerfile, by the name of the build context. */
export function sharedOf(edges: readonly Edge[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const { reference } of edges) {
    const name = parseSharedContext(reference);
    if (name !== undefined) found.set(reference, name);
  }
  return found;
}
