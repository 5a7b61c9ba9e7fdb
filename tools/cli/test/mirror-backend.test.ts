// waybill mirror with another registry behind it: Debian's docker-registry, on the files that setup writes for it.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "@waybill/oci";
import { freePort, startRegistry } from "@waybill/testing";
import { expect, onTestFinished, test } from "vitest";
import { startDistribution } from "../../mirror/test/support/distribution.ts";
import { pushImage } from "../../mirror/test/support/world.ts";
import { temporaryFolder } from "../../registry/test/harness.ts";

const WAYBILL = join(import.meta.dirname, "../src/waybill.ts");

test(
  "every command uses the registry that was set up, and says what that does by itself",
  { timeout: 180_000 },
  async () => {
    const dir = await temporaryFolder();
    const mirror = async (...args: string[]): Promise<[number, string]> => {
      const { exitCode, stdout, stderr } = await run(process.execPath, [WAYBILL, "mirror", ...args, "--dir", dir]);
      return [exitCode, (stdout + stderr).trim()];
    };
    const upstream = await startRegistry();
    onTestFinished(() => upstream.stop());
    await pushImage(dir, `${upstream.host}/team/api:1.0`);
    const [own, proxy] = [await freePort(), await freePort()];
    expect(await mirror("setup", "--backend", "nexus")).toEqual([
      2,
      expect.stringMatching(/unknown backend.*distribution, zot, harbor/),
    ]);
    expect(await mirror("setup", "--backend", "distribution")).toEqual([2, expect.stringContaining("add --url")]);
    expect((await mirror("setup", "--backend", "distribution", "--url", `http://127.0.0.1:${own}`))[0]).toBe(0);
    const upstreams = { "example.com": { url: `http://${upstream.host}`, at: `http://127.0.0.1:${proxy}` } };
    const settings = {
      backend: "distribution",
      url: `http://127.0.0.1:${own}`,
      storage: join(dir, "storage"),
      upstreams,
    };
    await writeFile(join(dir, "backend.json"), JSON.stringify(settings));
    expect((await mirror("setup"))[1]).toContain(`the mirror is distribution at http://127.0.0.1:${own}`);

    expect(await mirror("status")).toEqual([1, `distribution at http://127.0.0.1:${own} does not answer`]);
    expect(await mirror("pull", "example.com/team/api:1.0")).toEqual([
      2,
      expect.stringMatching(/^waybill: distribution does not answer, .*127\.0\.0\.1.*docker-registry serve/),
    ]);
    await startDistribution(join(dir, "distribution"), { own, "example.com": proxy });
    expect(await mirror("check", "URL")).toEqual([0, `http://127.0.0.1:${own}`]);
    expect(await mirror("check", "DIR")).toEqual([0, dir]);
    const located = `127.0.0.1:${proxy}/team/api:1.0`;
    expect(await mirror("rewrite", "example.com/team/api:1.0")).toEqual([0, located]);
    expect(await mirror("rewrite", "--back", located)).toEqual([0, "example.com/team/api:1.0"]);
    expect(await mirror("pull", "example.com/team/api:1.0")).toEqual([0, expect.stringMatching(/: 1 pulled, /)]);
    await upstream.stop();
    expect(await mirror("check", "IMAGE_EXISTS", "example.com/team/api:1.0")).toEqual([0, "true"]);
    expect(await mirror("check", "IMAGE_EXISTS", "example.com/team/api:2.0")).toEqual([1, "false"]);
    for (const action of ["start", "stop", "gc", "scrub"])
      expect(await mirror(action)).toEqual([
        2,
        expect.stringMatching(/^waybill: the mirror is distribution at .*docs\/mirror-backends\.md$/),
      ]);

    expect((await mirror("setup", "--backend", "waybill", "--port", String(await freePort())))[0]).toBe(0);
    expect(await mirror("status")).toEqual([1, "not running"]);
  },
);
