// Where things are kept: one engine for each cache folder, whatever else the environment says.

import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { embeddedPaths, storeFolder } from "../src/index.ts";

describe("the private engine's sockets", () => {
  afterEach(() => vi.unstubAllEnvs());

  test("follow the cache folder, and TMPDIR never: two engines must not share one data folder", () => {
    vi.stubEnv("WAYBILL_CACHE", "/somewhere/deep");
    const { data, sockets } = embeddedPaths();
    vi.stubEnv("TMPDIR", join(tmpdir(), "another"));
    expect(embeddedPaths()).toMatchObject({ data, sockets });
    vi.stubEnv("WAYBILL_CACHE", "/somewhere/else");
    expect(embeddedPaths().sockets).not.toBe(sockets);
  });

  test("have paths short enough for a socket, however deep the cache folder is", () => {
    vi.stubEnv("WAYBILL_CACHE", `/${"deep/".repeat(40)}`);
    const { containerd, docker } = embeddedPaths();
    for (const path of [`${containerd}.ttrpc`, docker]) expect(Buffer.byteLength(path)).toBeLessThan(108);
  });
});

describe("the store", () => {
  afterEach(() => vi.unstubAllEnvs());

  test("is in the cache folder, or where WAYBILL_STORE says", () => {
    vi.stubEnv("WAYBILL_STORE", "");
    vi.stubEnv("WAYBILL_CACHE", "");
    vi.stubEnv("XDG_CACHE_HOME", "");
    expect(storeFolder()).toBe(join(homedir(), ".cache/waybill/store"));
    vi.stubEnv("WAYBILL_STORE", "/another/disk");
    expect(storeFolder()).toBe("/another/disk");
  });
});
