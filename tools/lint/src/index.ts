// Rules for Dockerfiles and for the images built from them.

export { edgeDifferences, edgeFinding, fixEdges } from "./edges.ts";
export type { EdgeDifference, EdgeFacts } from "./edges.ts";
export { ensureHadolint } from "./ensure-hadolint.ts";
export { formatFinding } from "./finding.ts";
export type { Finding, Severity } from "./finding.ts";
export { HADOLINT_VERSION } from "./hadolint-pins.ts";
export { edgeFacts, lintImage } from "./lint.ts";
export type { LintOptions } from "./lint.ts";
