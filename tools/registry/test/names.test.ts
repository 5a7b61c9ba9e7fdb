// Names, patterns, times and sizes: the small grammars that much depends on.

import { describe, expect, it } from "vitest";
import { byteSize, duration } from "../src/duration.ts";
import { matches } from "../src/glob.ts";
import { formatName, readName } from "../src/name.ts";
import { Breaker } from "../src/upstream/breaker.ts";

describe("a repository's name", () => {
  it.each([
    ["team/api", undefined, { repository: "team/api" }],
    ["ghcr.io/acme/api", undefined, { upstream: "ghcr.io", repository: "acme/api" }],
    ["localhost/acme/api", undefined, { upstream: "localhost", repository: "acme/api" }],
    ["docker.io/debian", undefined, { upstream: "docker.io", repository: "library/debian" }],
    ["library/debian", "registry-1.docker.io", { upstream: "docker.io", repository: "library/debian" }],
    ["acme/api", "Registry.Example.com:5000", { upstream: "registry.example.com:5000", repository: "acme/api" }],
    // As references write what they have no colons for.
    ["reg.example.com__8443/acme/api", undefined, { upstream: "reg.example.com:8443", repository: "acme/api" }],
    ["localhost__5001/acme/api", undefined, { upstream: "localhost:5001", repository: "acme/api" }],
    ["0-0-0-0-0-0-0-1__ip6__5000/api", undefined, { upstream: "[::1]:5000", repository: "api" }],
    ["my__5000x/api", undefined, { repository: "my__5000x/api" }],
    // A dot makes a host of the first component only.
    ["team/v1.2/api", undefined, { repository: "team/v1.2/api" }],
    ["ghcr.io", undefined, { repository: "ghcr.io" }],
    ["ghcr.io/Upper", undefined, undefined],
    ["team/api", "no host", undefined],
    ["../x", undefined, undefined],
    ["", undefined, undefined],
  ])("%s with ns %s", (text, ns, name) => {
    expect(readName(text, ns)).toEqual(name);
  });

  it("of what was pushed and of what came from elsewhere are never the same", () => {
    for (const text of ["team/api", "ghcr.io/acme/api", "docker.io/library/debian"]) {
      const name = readName(text);
      expect(name && formatName(name)).toBe(text);
    }
  });
});

describe("a pattern", () => {
  it.each([
    ["team/**", "team", true],
    ["team/**", "team/a/b", true],
    ["team/**", "teams/a", false],
    ["team/*", "team/a", true],
    ["team/*", "team/a/b", false],
    ["**", "anything/at/all", true],
    ["pr-*", "pr-12", true],
    ["pr-*", "my-pr-12", false],
    ["v?.0", "v1.0", true],
    ["v1.0", "v1x0", false],
    ["(a|b)+", "a", false],
  ])("%s for %s: %s", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });
});

describe("times and sizes", () => {
  it.each([
    [duration, "90s", 90_000],
    [duration, "30d", 2_592_000_000],
    [duration, "0s", 0],
    [byteSize, "1.5GB", 1_500_000_000],
    [byteSize, "20MB", 20_000_000],
  ])("are read", (schema, text, value) => {
    expect(schema.parse(text)).toBe(value);
  });

  it.each([
    [duration, "90"],
    [duration, "-1s"],
    [duration, "1w"],
    [byteSize, "20 MB"],
    [byteSize, "1e9B"],
  ])("are refused", (schema, text) => {
    expect(schema.safeParse(text).success).toBe(false);
  });
});

describe("the breaker", () => {
  it("opens after three failures in a row, lets one try after a pause, and waits longer each time", () => {
    let now = 0;
    const breaker = new Breaker(() => now);
    for (let i = 0; i < 3; i++) {
      expect(breaker.admit()).toBe(0);
      breaker.fail();
    }
    expect([breaker.state, breaker.admit()]).toEqual(["open", 5000]);
    now = 5000;
    expect([breaker.admit(), breaker.state]).toEqual([0, "probing"]);
    // Others wait for what the one finds out.
    expect(breaker.admit()).toBeGreaterThan(0);
    breaker.fail();
    expect(breaker.admit()).toBe(10_000);
    now = 15_000;
    expect(breaker.admit()).toBe(0);
    breaker.succeed();
    expect([breaker.state, breaker.admit()]).toEqual(["closed", 0]);
  });

  it("isn't opened by failures with successes between them", () => {
    const breaker = new Breaker();
    for (let i = 0; i < 9; i++) {
      if (i % 3 === 2) breaker.succeed();
      else breaker.fail();
    }
    expect(breaker.state).toBe("closed");
  });
});
