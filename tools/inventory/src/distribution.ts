// Which distribution an image's packages are of, by its os-release (os-release(5)).

import type { TreeEntry } from "@waybill/oci";

export interface Distribution {
  /** "debian", "ubuntu", "alpine". */
  id: string;
  /** "13", "24.04"; empty where the distribution has no releases, or not yet. */
  version: string;
}

/** etc/os-release is a link to the other in most images. */
const FILES = ["etc/os-release", "usr/lib/os-release"];

export const isOsRelease = (path: string): boolean => FILES.includes(path);

/** Undefined for an image that doesn't say. */
export function distributionOf(files: ReadonlyMap<string, TreeEntry>): Distribution | undefined {
  for (const path of FILES) {
    const entry = files.get(path);
    const text = entry?.type === "file" ? entry.head.toString("utf8") : "";
    const field = (name: string): string | undefined => new RegExp(`^${name}=["']?([^"'\\n]*)`, "m").exec(text)?.[1];
    const id = field("ID");
    if (id !== undefined) return { id, version: field("VERSION_ID") ?? "" };
  }
  return undefined;
}
