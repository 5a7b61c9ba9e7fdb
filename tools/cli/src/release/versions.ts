// The versions that the changesets make.

import { findImage, recordOfImage, workspaceRoot } from "@waybill/image";
import type { Digest } from "@waybill/oci";
import { type VersionPlan, planVersion } from "@waybill/release";
import type { Values } from "../command.ts";
import { settings } from "../settings.ts";
import { registryOf } from "./registry.ts";

/** What `waybill release version` would write. */
export async function plannedVersions(values: Values): Promise<VersionPlan> {
  const root = workspaceRoot();
  const registry = await registryOf(values);
  const plan = await planVersion(root, { registry });
  if (!(await settings()).pinDigests) return plan;
  const digests = await digestsOf(plan.releases.filter(({ kind }) => kind === "image"));
  return await planVersion(root, { registry, digests });
}

/** As they were built and tested: a version is no part of an image, so they stay what they are. */
async function digestsOf(images: readonly { name: string }[]): Promise<Map<string, Digest>> {
  const digests = new Map<string, Digest>();
  for (const { name } of images) digests.set(name, (await recordOfImage(await findImage(name))).digest);
  return digests;
}
