// How packages of one kind are found: by files that their manager leaves in the image.

import type { TreeEntry } from "@waybill/oci";
import type { Package } from "./package.ts";

export interface Finder {
  /** Whether the file's content tells of packages. */
  wants(path: string, size: number): boolean;
  /**
   * @param entry with all of its content as `head`
   * @param tree the whole image, for sizes
   */
  read(entry: TreeEntry, tree: ReadonlyMap<string, TreeEntry>): Package[];
}
