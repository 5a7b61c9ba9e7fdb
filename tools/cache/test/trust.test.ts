import { describe, expect, it } from "vitest";
import { isTag } from "@waybill/oci";
import { cacheSettings } from "../src/index.ts";
import { accessOf } from "../src/trust.ts";

const TRUSTED = { repository: "acme/cache", prefix: "nx-" };
const own = (prefix: string) => ({ repository: "acme/cache-untrusted", prefix });

const gitHub = (event: string, ref: string) => ({ GITHUB_ACTIONS: "true", GITHUB_EVENT_NAME: event, GITHUB_REF: ref });

describe("trust", () => {
  it.each<[string, Record<string, string>]>([
    ["a push to main", gitHub("push", "refs/heads/main")],
    ["a push to a release branch", gitHub("push", "refs/heads/release/1.2")],
    ["a nightly run of main", gitHub("schedule", "refs/heads/main")],
    [
      "a protected branch of GitLab",
      { GITLAB_CI: "true", CI: "true", CI_COMMIT_REF_NAME: "main", CI_COMMIT_REF_PROTECTED: "true" },
    ],
    ["a desk", {}],
    ["who says so", { CI: "true", WAYBILL_CACHE_TRUST: "trusted" }],
  ])("%s reads and writes what is trusted, and nothing else", (_what, env) => {
    expect(accessOf("acme/cache", env)).toMatchObject({ read: [TRUSTED], write: TRUSTED });
  });

  it.each<[string, Record<string, string>, string]>([
    ["a pull request", gitHub("pull_request", "refs/pull/12/merge"), "pull-12-merge-"],
    [
      "a merge queue",
      gitHub("merge_group", "refs/heads/gh-readonly-queue/main/pr-1-abc"),
      "heads-gh-readonly-queue-main-pr-1-abc-",
    ],
    ["a branch", gitHub("push", "refs/heads/feature"), "heads-feature-"],
    ["a branch that is named like main", gitHub("push", "refs/heads/main2"), "heads-main2-"],
    ["a tag", gitHub("push", "refs/tags/v1.0.0"), "tags-v1-0-0-"],
    ["a merge request", { GITLAB_CI: "true", CI_MERGE_REQUEST_IID: "7", CI_COMMIT_REF_PROTECTED: "true" }, "mr-7-"],
    ["another CI", { CI: "1" }, "ci-"],
    ["who says so", { WAYBILL_CACHE_TRUST: "untrusted:mine" }, "mine-"],
  ])("%s reads what is trusted, and writes under a name of its own", (_what, env, prefix) => {
    const { read, write } = accessOf("acme/cache", env);
    expect(read).toEqual([TRUSTED, write]);
    expect(write).toEqual(own(expect.stringMatching(new RegExp(`^${prefix}`)) as unknown as string));
    expect(isTag(`${write?.prefix}1234567890`)).toBe(true);
  });

  it("keeps scopes apart that look alike as tags, and short ones that are long", () => {
    const prefixes = ["a/b", "a-b", "a.b", "ä-b", `${"x".repeat(200)}1`, `${"x".repeat(200)}2`].map(
      (scope) => accessOf("acme/cache", { WAYBILL_CACHE_TRUST: `untrusted:${scope}` }).write!.prefix,
    );
    expect(new Set(prefixes).size).toBe(prefixes.length);
    for (const prefix of prefixes) expect(isTag(`${prefix}${"1".repeat(64)}`)).toBe(true);
  });

  it.each<[string, Record<string, string>]>([
    ["a run for a pull request with the base's secrets", gitHub("pull_request_target", "refs/heads/main")],
    ["a run after a pull request's", gitHub("workflow_run", "refs/heads/main")],
    ["an event that nobody named", { GITHUB_ACTIONS: "true" }],
  ])("%s reads what is trusted, and writes nothing", (_what, env) => {
    expect(accessOf("acme/cache", env)).toMatchObject({ read: [TRUSTED], write: undefined });
  });

  it.each(["read-only", "none", "Trusted", "yes", "trusted "])("WAYBILL_CACHE_TRUST=%s writes nothing", (asked) => {
    expect(accessOf("acme/cache", { WAYBILL_CACHE_TRUST: asked })).toMatchObject({ read: [TRUSTED], write: undefined });
  });

  it("goes by the workspace's own name for main", () => {
    expect(accessOf("acme/cache", gitHub("push", "refs/heads/trunk"), "trunk").write).toEqual(TRUSTED);
    expect(accessOf("acme/cache", gitHub("push", "refs/heads/main"), "trunk").write).not.toEqual(TRUSTED);
  });
});

describe("settings", () => {
  it("come from nx.json, and from the environment before it", () => {
    const remoteCache = "ghcr.io/acme/images/nx-cache";
    expect(cacheSettings({ remoteCache }, {})).toMatchObject({
      registry: "ghcr.io",
      repository: "acme/images/nx-cache",
      plainHttp: undefined,
    });
    const env = { WAYBILL_REMOTE_CACHE: "http://registry.internal:5000/cache/" };
    expect(cacheSettings({ remoteCache }, env)).toMatchObject({
      registry: "registry.internal:5000",
      repository: "cache",
      plainHttp: true,
    });
    for (const off of ["", "off", "none"])
      expect(cacheSettings({ remoteCache }, { WAYBILL_REMOTE_CACHE: off })).toBeUndefined();
    expect(cacheSettings({}, {})).toBeUndefined();
  });

  it.each(["ghcr.io", "ghcr.io/", "ghcr.io/a:tag", "acme/cache", "ftp://ghcr.io/a", "ghcr.io/Acme/cache", "a b"])(
    "%s is no place for a cache",
    (location) => {
      expect(() => cacheSettings({ remoteCache: location }, {})).toThrow(
        /is no place for a remote cache|is not an image/,
      );
    },
  );
});
