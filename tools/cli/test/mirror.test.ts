// waybill mirror, from nothing to a registry that serves, and back.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "@waybill/oci";
import { freePort } from "@waybill/testing/free-port";

const WAYBILL = join(import.meta.dirname, "../src/waybill.ts");
let dir: string;
let port: number;
beforeAll(async () => {
  dir = join(await mkdtemp(join(tmpdir(), "mirror-")), "data");
  port = await freePort();
});
afterAll(async () => {
  await mirror("stop");
  await rm(join(dir, ".."), { recursive: true, force: true });
});

async function mirror(...args: string[]): Promise<[number, string]> {
  const { exitCode, stdout, stderr } = await run(process.execPath, [WAYBILL, "mirror", ...args, "--dir", dir]);
  return [exitCode, (stdout + stderr).trim()];
}

describe("waybill mirror", { timeout: 180_000 }, () => {
  it("is not there before it is set up", async () => {
    expect(await mirror("check", "EXISTS")).toEqual([1, "false"]);
    expect(await mirror("check", "URL")).toEqual([1, ""]);
    expect(await mirror("check", "DIR")).toEqual([1, ""]);
    expect(await mirror("status")).toEqual([1, "not running"]);
    expect(await mirror("clients")).toEqual([2, expect.stringContaining("npx waybill mirror setup")]);
    expect(await mirror("gc")).toEqual([
      2,
      expect.stringMatching(/^waybill: the mirror is not running, .*: npx waybill mirror start$/),
    ]);
  });

  it("is set up and started, and serves what is pushed to it", async () => {
    expect((await mirror("setup", "--port", String(port)))[0]).toBe(0);
    const settings = JSON.parse(await readFile(join(dir, "config.json"), "utf8")) as {
      listen: string;
      upstreams: object;
    };
    expect([settings.listen, Object.keys(settings.upstreams)]).toEqual([
      `127.0.0.1:${port}`,
      expect.arrayContaining(["docker.io", "ghcr.io"]),
    ]);
    expect(await mirror("start")).toEqual([0, expect.stringContaining(`http://127.0.0.1:${port} `)]);
    expect(await mirror("check", "URL")).toEqual([0, `http://127.0.0.1:${port}`]);
    expect(await mirror("check", "EXISTS")).toEqual([0, "true"]);
    const url = `http://127.0.0.1:${port}/v2/team/api/manifests/1.0`;
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [],
    });
    expect(
      (
        await fetch(url, {
          method: "PUT",
          body,
          headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
        })
      ).status,
    ).toBe(201);
    expect(await mirror("check", "IMAGE_EXISTS", `localhost:${port}/team/api:1.0`)).toEqual([0, "true"]);
    expect(await mirror("check", "IMAGE_EXISTS", `127.0.0.1:${port}/team/api:2.0`)).toEqual([1, "false"]);
    expect(await mirror("status")).toEqual([0, expect.stringMatching(/^http.*: 1 repositories, 1 blobs, /)]);
    expect(await mirror("gc", "--dry-run")).toEqual([0, expect.stringMatching(/^would free 0/)]);
    expect(await mirror("scrub")).toEqual([0, expect.stringMatching(/^read 1 blobs, .*: 0 damaged, 0 lost$/)]);
  });

  it("writes what clients read, and what systemd reads", async () => {
    const out = join(dir, "../out");
    expect(await mirror("clients", "podman", "--out", out)).toEqual([
      0,
      expect.stringContaining(join(out, "etc/containers/registries.conf.d/50-waybill-mirror.conf")),
    ]);
    const hosts = (await mirror("clients", "containerd"))[1].split(
      "==> /etc/containerd/certs.d/ghcr.io/hosts.toml\n",
    )[1];
    expect(hosts).toContain(`\nserver = "https://ghcr.io"\n\n[host."http://127.0.0.1:${port}"]\n`);
    expect(await mirror("clients", "rkt")).toEqual([
      2,
      expect.stringMatching(/unknown client "rkt": use containerd, /),
    ]);
    expect((await mirror("systemd", "--out", out))[1]).toContain("systemctl enable --now waybill-mirror.service");
    const unit = await readFile(join(out, "etc/systemd/system/waybill-mirror-sync.service"), "utf8");
    expect(unit).toContain(`/tools/cli/src/waybill.ts mirror sync --dir ${dir}\n`);
    expect((await mirror("systemd", "--user", "--print"))[1]).toMatch(
      /\.config\/systemd\/user\/waybill-mirror\.service/,
    );
  });

  it("keeps its settings when it is set up again, and says what is wrong with them", async () => {
    const [code] = await mirror("setup", "--port", String(port));
    expect(code).toBe(0);
    expect(await mirror("setup", "--port", "99999")).toEqual([2, expect.stringMatching(/is no address to listen at/)]);
    expect(await mirror("fly")).toEqual([2, expect.stringMatching(/^waybill: unknown action "fly"/)]);
    expect(await mirror("stop")).toEqual([0, "stopped"]);
    expect(await mirror("stop")).toEqual([0, "it was not running"]);
  });
});
