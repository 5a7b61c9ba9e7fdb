// One folder for all that a test run leaves in the temporary folder, gone when the run ends.

import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export default async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-test-"));
  // Some tests run programs as other users, in folders of their own below.
  await chmod(folder, 0o711);
  process.env["TMPDIR"] = folder;
  return () => rm(folder, { recursive: true, force: true });
}
