// Known vulnerabilities of images, and what mends them.

export { type AdvisorySource, advisorySource, noAdvisories } from "./osv/source.ts";
export type { Finding } from "./finding.ts";
export { type Ignored, readIgnored } from "./ignore.ts";
export { type ImageScan, type ScanTarget, scanImages } from "./scan.ts";
export { LEVELS, type Level, isAtLeast } from "./severity.ts";
export { formatScans } from "./report/text.ts";
export { markdownOfScans } from "./report/markdown.ts";
export { type ImagePatch, isPatched, patchImages } from "./patch/patch.ts";
export { type PushTarget, planPatchPush, pushPatch } from "./patch/push.ts";
export type { PatchReport } from "./patch/report.ts";
export { formatPatches, markdownOfPatches } from "./report/patch.ts";
