// What people and machines see: the page, in a real browser; metrics; the log.

import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { run } from "@waybill/oci";
import { settled, startTestRegistry, temporaryFolder, upstreamAt } from "./harness.ts";
import type { TestRegistry } from "./harness.ts";
import { ask, imageOf, pullImage, pushImage } from "./image.ts";
import { startUpstream } from "./upstream.ts";

const BROWSER = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));

/** A registry that has seen something: pushes, hits, misses, a failing upstream, a collection, a scrub. */
async function lively(): Promise<TestRegistry> {
  const [good, bad] = [await startUpstream(), await startUpstream()];
  good.hold("team/api", imageOf("a"), "1.0");
  await bad.close();
  const { upstreams } = upstreamAt(good.url) as { upstreams: object };
  const registry = await startTestRegistry({ upstreams: { ...upstreams, "away.test": { url: bad.url } } });
  await pushImage(registry.url, "team/own", imageOf("own"), "1.0");
  for (let i = 0; i < 2; i++) {
    await pullImage(registry.url, "example.com/team/api", "1.0");
    await settled(registry);
  }
  await ask(registry.url, "/v2/away.test/x/manifests/%3Cscript%3E");
  await ask(registry.url, "/v2/away.test/x/manifests/1.0");
  await registry.server.registry.care.collect(false);
  await registry.server.registry.care.scrub();
  return registry;
}

describe("the page", () => {
  it("shows in a browser what is held and how it goes, and runs nothing", async ({ skip }) => {
    if (BROWSER === undefined) console.warn("SKIPPED: no chromium here (apt-get install chromium)");
    skip(BROWSER === undefined, "needs chromium");
    const { url } = await lively();
    const profile = await temporaryFolder();
    const args = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      `--user-data-dir=${profile}`,
      "--virtual-time-budget=2000",
      "--dump-dom",
      `${url}/`,
    ];
    const { stdout, stderr } = await run(BROWSER as string, args, {
      check: true,
      timeoutMs: 60_000,
      env: { HOME: profile },
    });
    const text = stdout
      .replace(/<style>.*?<\/style>/s, "")
      .replace(/<[^>]+>/g, " ")
      .replace(/\s+/g, " ");
    for (const expected of [
      /Held 8 blobs/,
      /Hit rate \d+\.\d %/,
      /Damaged nothing/,
      /Collection 2\d{3}-.*: 0 blobs/,
      /Scrub 2\d{3}-.*: 8 blobs read, 0 damaged/,
      /example\.com answers/,
      /away\.test failed last .*could not be asked/,
      /team\/own 1 1 /,
      /example\.com\/team\/api:1\.0 revalidated 127\.0\.0\.1/,
    ])
      expect(text).toMatch(expected);
    expect(stdout).not.toContain("<script");
    // The browser found nothing that the page's own policy forbids: the style is used.
    expect(stderr).not.toMatch(/Content Security Policy/i);
  });

  it("forbids itself everything but its style", async () => {
    const { url } = await startTestRegistry();
    const { headers } = await ask(url, "/");
    expect(headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
  });
});

describe("metrics", () => {
  it("are Prometheus text that its own parser would take", async () => {
    const { url } = await lively();
    const { headers, body } = await ask(url, "/metrics");
    expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const lines = body.toString().trimEnd().split("\n");
    const sample = /^[a-z_]+(\{([a-z]+="([^"\\\n]|\\.)*",?)+\})? -?[\d.e+]+$/;
    expect(lines.filter((line) => !line.startsWith("# ") && !sample.test(line))).toEqual([]);
    for (const expected of [
      'waybill_registry_manifests_total{from="miss"} 1',
      'waybill_registry_manifests_total{from="revalidated"} 1',
      'waybill_registry_blobs_total{from="hit"} 3',
      'waybill_registry_upstream_blobs_total{upstream="example.com"} 3',
      'waybill_registry_upstream_up{upstream="example.com"} 1',
      'waybill_registry_requests_total{kind="manifest",method="GET",status="200"} 2',
      'waybill_registry_request_seconds_count{kind="manifest"} 5',
      "waybill_registry_damaged 0",
    ]) {
      expect(lines).toContain(expected);
    }
  });
});

describe("the log", () => {
  it("has a line of JSON for each request, and no secrets", async () => {
    const registry = await startTestRegistry();
    await ask(registry.url, "/v2/a/manifests/1.0?token=s3cret", { headers: { authorization: "Bearer s3cret" } });
    await ask(registry.url, "/v2/a/tags/list?token=s3cret");
    await expect.poll(() => registry.log.filter(({ event }) => event === "request")).toHaveLength(2);
    expect(registry.log.at(-1)).toMatchObject({
      level: "info",
      event: "request",
      method: "GET",
      path: "/v2/a/tags/list",
      status: 404,
      client: "127.0.0.1",
    });
    expect(JSON.stringify(registry.log)).not.toContain("s3cret");
  });
});
