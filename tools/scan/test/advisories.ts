// Advisories in the forms that OSV's databases have, on packages that images of this repo are made of.

/** As Debian's security tracker exports them: about the source package, a release at a time. */
export const debian = (cve: string, source: string, events: object[], more: object = {}, release = "13"): object => ({
  id: `DEBIAN-${cve}`,
  modified: "2026-11-02T10:00:00Z",
  upstream: [cve],
  details: `What ${cve} is about.\nMore of it.`,
  severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N" }],
  affected: [
    {
      package: { ecosystem: `Debian:${release}`, name: source, purl: `pkg:deb/debian/${source}?arch=source` },
      ranges: [{ type: "ECOSYSTEM", events }],
      ecosystem_specific: { urgency: "not yet assigned" },
      ...more,
    },
  ],
});

/** As GitHub's database: CVSS 4 as a vector, and a word beside it. */
export const github = (
  id: string,
  cve: string | undefined,
  [ecosystem, name]: [string, string],
  events: object[],
  word = "MODERATE",
): object => ({
  id,
  modified: "2026-10-30T08:00:00Z",
  aliases: cve === undefined ? [] : [cve],
  summary: `Something in ${name}`,
  severity: [{ type: "CVSS_V4", score: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N" }],
  affected: [
    { package: { ecosystem, name }, ranges: [{ type: ecosystem === "PyPI" ? "ECOSYSTEM" : "SEMVER", events }] },
  ],
  database_specific: { severity: word, cwe_ids: ["CWE-400"] },
});

/** As Go's database: without a severity, its versions without a "v". */
export const golang = (id: string, cve: string, name: string, events: object[]): object => ({
  id,
  modified: "2026-10-01T00:00:00Z",
  aliases: [cve],
  summary: `Panic in ${name}`,
  affected: [
    {
      package: { ecosystem: "Go", name },
      ranges: [{ type: "SEMVER", events }],
      ecosystem_specific: { imports: [{ path: "net/http", symbols: ["Server.Serve"] }] },
    },
  ],
});
