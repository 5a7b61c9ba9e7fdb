// Releases: from changesets to versions, tags by digest and the charts that pin them. Each step is a plan first, then carried out.

export { pullRequestOf, writeComment } from "./comment.ts";
export { gitHubOf, makePages, pagesOf } from "./github.ts";
export { pushTags } from "./git.ts";
export { planVersion } from "./version-plan.ts";
export type { ChartChange, Release, VersionPlan } from "./version-plan.ts";
export { version } from "./version.ts";
export { planPublish } from "./publish-plan.ts";
export type { ChartPublish, ImagePublish, Prepared, PublishPlan } from "./publish-plan.ts";
export { publish } from "./publish.ts";
export { type Unreleased, unreleased } from "./unreleased.ts";
export { pinChartImages } from "./chart-pins.ts";
export { ownRepositories } from "./packages.ts";
export { ciTags } from "./ci-tags.ts";
export { versionTags } from "./version-tags.ts";
export { commitOf } from "./git.ts";
export { type ReleaseIndex, releaseIndex } from "./annotations.ts";
export { type Releasable, releasables } from "./packages.ts";
