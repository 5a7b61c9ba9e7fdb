/** A folder under the system's temporary one that is gone after the test, or after the describe when a hook asked for it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

const folders = new Set<string>();
afterAll(() => Promise.all([...folders].map((folder) => rm(folder, { recursive: true, force: true }))));

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-api-"));
  folders.add(folder);
  return folder;
}
