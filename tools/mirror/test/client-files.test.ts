// Settings that are there already are their owner's.

import { CLIENTS, merged } from "@waybill/mirror/clients";
import { readMirror, setUpBackend } from "@waybill/mirror/backend";
import { makeConfig } from "@waybill/registry";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../registry/test/harness.ts";

describe("settings that are there", () => {
  it("get what docker's daemon.json lacks, and lose nothing", () => {
    const there = JSON.stringify({ debug: true, "registry-mirrors": ["https://other"] });
    const ours = JSON.stringify({ "registry-mirrors": ["http://127.0.0.1:5000"] });
    const once = merged(there, ours, "/etc/docker/daemon.json");
    expect(JSON.parse(once)).toEqual({ debug: true, "registry-mirrors": ["http://127.0.0.1:5000", "https://other"] });
    expect(merged(once, ours, "/etc/docker/daemon.json")).toBe(once);
    expect(() => merged("{", ours, "/etc/docker/daemon.json")).toThrow(/daemon\.json/);
  });

  it("are written again if they are ours, and left alone if somebody else wrote them", async () => {
    const { backend } = await setUpBackend(await temporaryFolder(), {
      backend: "zot",
      url: "http://z:5000",
      storage: undefined,
    });
    const [first] = Object.values(CLIENTS["containerd"]?.(backend).files ?? {});
    const [other] = Object.values(CLIENTS["buildkit"]?.(backend).files ?? {});
    expect(merged(first, other ?? "", "/etc/x.toml")).toBe(other);
    expect(() => merged('server = "https://ghcr.io"', first ?? "", "/etc/x.toml")).toThrow(
      /somebody else wrote this file/,
    );
  });
});

it("settings for other machines name the mirror as they reach it", async () => {
  const folder = await temporaryFolder();
  const config = { listen: "0.0.0.0:5000", upstreams: { "docker.io": {} } };
  makeConfig(config, folder);
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const mirror = await readMirror(folder, "http://mirror.internal:5000");
  const files = mirror === undefined ? {} : CLIENTS["docker"]?.(mirror).files;
  expect(JSON.parse(files?.["etc/docker/daemon.json"] ?? "")).toEqual({
    "registry-mirrors": ["http://mirror.internal:5000"],
    "insecure-registries": ["mirror.internal:5000"],
  });
});
