// Known vulnerabilities of images, and what mends them.

export { type AdvisorySource, advisorySource } from "./osv/source.ts";
export type { Finding } from "./finding.ts";
export { type Ignored, readIgnored } from "./ignore.ts";
export { type ImageScan, type ScanTarget, scanImages } from "./scan.ts";
export { LEVELS, type Level, isAtLeast } from "./severity.ts";
export { formatScans } from "./report/text.ts";
export { markdownOfScans } from "./report/markdown.ts";
