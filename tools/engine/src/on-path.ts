// Finds a program as a shell would.

import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** The program's path, or undefined when PATH has none of that name. */
export function onPath(program: string, path = process.env["PATH"] ?? ""): string | undefined {
  return path
    .split(":")
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
