// What ends Nx before any target can tell of it: Nx says "failed to process project graph" and no more.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sameName } from "@waybill/image/image";

/** Prints a line for a project.json that is no JSON, and for a second image of one name. */
export class FatalFaults {
  readonly #folders = new Map<string, string>();

  /** @param problem why the image can't be read, if it can't */
  look(folder: string, name: string, problem?: string): void {
    const other = this.#folders.get(name);
    if (other === undefined) this.#folders.set(name, folder);
    else console.error(`waybill: ${sameName(name, other, folder).message}`);
    if (problem !== undefined && !isJson(join(folder, "project.json"))) console.error(`waybill: ${problem}`);
  }
}

function isJson(file: string): boolean {
  try {
    return !existsSync(file) || JSON.parse(readFileSync(file, "utf8")) !== undefined;
  } catch {
    return false;
  }
}
