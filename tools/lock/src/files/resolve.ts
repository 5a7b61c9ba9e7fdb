// From "npm:name@version" or "pypi:name@version" to the exact files that answer it.

import { parseFileRequest } from "../declaration.ts";
import type { LockedFile } from "../schema.ts";
import { resolveNpm } from "./npm.ts";
import { resolvePypi } from "./pypi.ts";

/**
 * The newest files a request allows.
 * @throws {WaybillError} upstream has none such, or can't be reached
 */
export async function resolveFile(request: string, platforms: readonly string[]): Promise<LockedFile[]> {
  const parsed = parseFileRequest(request);
  return parsed.kind === "npm" ? [await resolveNpm(parsed)] : await resolvePypi(parsed, platforms);
}
