// Debian packages: dpkg's own database, or a file each in status.d, as images without dpkg have it (distroless, and ours).

import type { Finder } from "./finder.ts";
import type { Package } from "./package.ts";
import { parseParagraphs } from "./paragraphs.ts";

const DATABASE = "var/lib/dpkg/status";
const FOLDER = `${DATABASE}.d/`;

export const dpkg: Finder = {
  wants: (path) => path === DATABASE || (path.startsWith(FOLDER) && !path.endsWith(".md5sums")),
  read: ({ path, layer, head }) =>
    parseParagraphs(head.toString("utf8")).flatMap((fields): Package[] => {
      const name = fields.get("package");
      const version = fields.get("version");
      if (name === undefined || version === undefined || !isInstalled(fields.get("status"))) return [];
      // In KiB (Debian policy, 5.6.20).
      const size = Number(fields.get("installed-size")) * 1024;
      const source = sourceOf(fields.get("source"), version);
      return [{ type: "deb", name, version, path, layer, ...source, ...(Number.isNaN(size) ? {} : { size }) }];
    }),
};

/** "glibc", or "bash (5.2.37-2)" where the source's version is another, as of a rebuild (Debian policy, 5.6.1). */
function sourceOf(field: string | undefined, version: string): Pick<Package, "source"> {
  const [, name, own = version] = /^(\S+)(?: \((.+)\))?$/.exec(field ?? "") ?? [];
  return name === undefined ? {} : { source: { name, version: own } };
}

/** A package that was removed leaves its paragraph, for its configuration. status.d has no such field. */
const isInstalled = (status: string | undefined): boolean =>
  status === undefined || status.split(" ").at(-1) === "installed";
