// A repo to release, in a folder that goes away after the test.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Repo, repoOf } from "./repo.ts";

export type { Repo as Workspace } from "./repo.ts";

export function workspace(): Repo {
  const root = mkdtempSync(join(tmpdir(), "waybill-release-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return repoOf(root);
}
