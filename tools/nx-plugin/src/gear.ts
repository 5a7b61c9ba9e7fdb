// Images that tests of another one run beside it: a Kubernetes, say, under an operator. They must be built before the tests and when
// they change the tests run again; nothing of them is in the image, so it is not built again.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const SCOPE = "@waybill/";

/**
 * The images among `devDependencies` of a folder's package.json.
 * @param images names of all images
 */
export function gearOf(folder: string, images: ReadonlySet<string>): string[] {
  return Object.keys(devDependencies(join(folder, "package.json")))
    .filter((name) => name.startsWith(SCOPE))
    .map((name) => name.slice(SCOPE.length))
    .filter((name) => images.has(name));
}

/** A file that can't be read names none: npm and the lint target say what is wrong with it. */
function devDependencies(file: string): object {
  if (!existsSync(file)) return {};
  try {
    const content = JSON.parse(readFileSync(file, "utf8")) as { devDependencies?: unknown };
    return typeof content.devDependencies === "object" ? (content.devDependencies ?? {}) : {};
  } catch {
    return {};
  }
}
