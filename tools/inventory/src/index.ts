// What is in an image, and what changed between two.

export { inventoryOf, KnownLayers } from "./inventory.ts";
export type { Inventory } from "./inventory.ts";
export type { Distribution } from "./distribution.ts";
export type { Package, PackageType } from "./package.ts";
export { diffImages } from "./diff/diff.ts";
export type { ImageDiff, PlatformDiff } from "./diff/diff.ts";
export { formatText } from "./report/text.ts";
export { COMMENT_MARK, formatMarkdown } from "./report/markdown.ts";
export type { Budgets } from "./report/words.ts";
