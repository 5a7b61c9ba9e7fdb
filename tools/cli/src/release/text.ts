// A release's plans for people: what would be, or was done.

import type { ChartChange, PublishPlan, VersionPlan } from "@waybill/release";
import { formatTable, shortDigest } from "@waybill/format";

export function describeVersions({ releases, charts }: VersionPlan, dry: boolean): string {
  if (releases.length === 0) return "no changesets: nothing to release";
  const rows = releases.map(({ kind, name, type, from, to, notes }) => [
    kind,
    name,
    `${from} -> ${to}`,
    type,
    notes[0]?.split("\n")[0] ?? "follows what it is made of",
  ]);
  const edits = charts.flatMap(describeChart);
  return [
    formatTable(["", "name", "version", "bump", "why"], rows),
    ...(edits.length > 0 ? ["", dry ? "charts that would change:" : "charts that changed:", ...edits] : []),
    ...(dry ? [] : ["", "Look at the changes, commit them, and `npx waybill release publish` on main."]),
  ].join("\n");
}

function describeChart({ name, version, appVersion, images }: ChartChange): string[] {
  const app = appVersion === undefined ? "" : `, appVersion ${appVersion.to}`;
  return [
    `  ${name} ${version.from} -> ${version.to}${app}`,
    ...images.map(({ path, from, to, digest }) => {
      const pin = digest === undefined ? "" : `@${shortDigest(digest)}`;
      return `    ${path}  ${from} -> ${to}${pin}`;
    }),
  ];
}

export function describePublish({ gitTags, images, charts }: PublishPlan, dry: boolean): string {
  const fresh = images.filter(({ action }) => action === "publish");
  const freshCharts = charts.filter(({ action }) => action === "publish");
  if (fresh.length === 0 && freshCharts.length === 0 && gitTags.length === 0)
    return `nothing to publish: all ${images.length + charts.length} versions are released`;
  const rows = [
    ...fresh.map(({ registry, repository, tested, tags, there }) => [
      `${registry}/${repository}`,
      shortDigest(tested),
      tags.join(", "),
      there ? "no layer moves" : "pushed first",
    ]),
    ...freshCharts.map(({ registry, repository, digest, tag }) => [
      `${registry}/${repository}`,
      shortDigest(digest),
      tag,
      "chart",
    ]),
  ];
  const released = images.length + charts.length - fresh.length - freshCharts.length;
  return [
    formatTable([dry ? "would publish" : "published", "digest", "tags", ""], rows),
    ...(gitTags.length > 0 ? ["", `git tags: ${gitTags.join(", ")}`] : []),
    ...(released > 0 ? ["", `${released} released before`] : []),
  ].join("\n");
}
