// The image that is there when the built one runs: everything else is build time only.

import { WaybillError } from "@waybill/oci/error";
import type { BuildOptions, Dockerfile } from "./dockerfile.ts";
import { linksOf, targetStage } from "./graph.ts";

/**
 * The reference that the FROM chain of the final (or named) stage ends on, or "scratch".
 * @throws {WaybillError} there is no such stage
 */
export function finalBase(dockerfile: Dockerfile, target?: string, options: BuildOptions = {}): string {
  const links = linksOf(dockerfile, options);
  let stage = targetStage(dockerfile, target)?.index;
  while (stage !== undefined) {
    const source = links[stage]?.[0]?.source;
    if (source === undefined) break;
    if (source === "scratch") return "scratch";
    if ("reference" in source) return source.reference;
    stage = source.stage;
  }
  const names = dockerfile.stages.flatMap(({ name }) => name ?? []).join(", ");
  throw new WaybillError(`no stage ${target ?? "at all"}`, {
    where: dockerfile.file,
    mend: names === "" ? "begin a stage with FROM" : `its stages are ${names}`,
  });
}
