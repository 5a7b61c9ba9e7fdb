// Pushes to a real registry, and asks that registry what it has.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunResult, run } from "@waybill/oci";
import { type RunningRegistry, startRegistry } from "@waybill/testing";
import { Workspace } from "../../image/test/support/workspace.ts";

describe("waybill push", { timeout: 60_000 }, () => {
  let workspace: Workspace;
  let registry: RunningRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
    workspace = await Workspace.create({
      "images/app/Dockerfile": "FROM scratch AS debug\nCOPY file /file\nFROM debug\nUSER 65532\n",
      "images/app/.dockerignore": "*\n!file\n",
      "images/app/file": "pushed 1\n",
      "images/app/project.json": { name: "app", metadata: { image: { variants: { debug: { target: "debug" } } } } },
    });
    await workspace.build("app");
  }, 120_000);
  afterAll(async () => {
    await registry.stop();
    await workspace.remove();
  });

  const push = (...flags: string[]): Promise<RunResult> =>
    workspace.waybill("push", "app", "--registry", `${registry.host}/team`, ...flags);

  /** Asked as any client would. Undefined where there is no such tag. */
  async function digestOf(tag: string): Promise<string | undefined> {
    const accept = "application/vnd.oci.image.index.v1+json";
    const url = `http://${registry.host}/v2/team/app/manifests/${tag}`;
    const { headers, ok } = await fetch(url, { method: "HEAD", headers: { accept } });
    return ok ? (headers.get("docker-content-digest") ?? "") : undefined;
  }

  test("shows with --dry-run what it would do, and does nothing", async () => {
    const { exitCode, stdout } = await push("--tag", "1.0.0", "--dry-run");
    const { digest } = await workspace.record("app");
    expect(stdout).toContain(`would push ${registry.host}/team/app@${digest}: `);
    expect(stdout).toContain("1.0.0 (create)");
    expect(exitCode).toBe(0);
    expect(await digestOf("1.0.0")).toBeUndefined();
    expect(await digestOf(digest)).toBeUndefined();
  });

  test("gives the registry the digest of image.json, under the tags asked for", async () => {
    const { exitCode, stderr } = await push("--tag", "1.0.0", "--tag", "latest");
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    const { digest, variants } = await workspace.record("app");
    expect(await Promise.all(["1.0.0", "latest", digest].map(digestOf))).toEqual([digest, digest, digest]);
    expect(await digestOf("1.0.0-debug")).toBe(variants["debug"]?.digest);
  });

  test("can be inspected with skopeo", async (context) => {
    const reference = `docker://${registry.host}/team/app:1.0.0`;
    const args = ["inspect", "--tls-verify=false", "--no-creds", "--raw", reference];
    const inspected = await run("skopeo", args).catch(() => undefined);
    if (inspected === undefined) {
      console.warn("the pushed image is not inspected: skopeo is not installed (apt-get install skopeo)");
      return context.skip();
    }
    expect(inspected.stderr).toBe("");
    const { manifests } = JSON.parse(inspected.stdout) as { manifests: { digest: string }[] };
    const { platforms } = await workspace.record("app");
    expect(manifests.map(({ digest }) => digest)).toEqual(platforms.map(({ digest }) => digest));
  });

  test("sends nothing when all is there", async () => {
    const { exitCode, stdout } = await push("--tag", "1.0.0");
    expect(stdout).toContain("nothing to send");
    expect(stdout).toContain("1.0.0 (keep)");
    expect(exitCode).toBe(0);
  });

  test("never moves a version to another image, and changes nothing when it refuses", async () => {
    const before = await workspace.record("app");
    await workspace.write({ "images/app/file": "pushed 2\n" });
    await workspace.build("app");
    const { digest } = await workspace.record("app");
    expect(digest).not.toBe(before.digest);
    for (const flags of [["--dry-run"], []]) {
      const { exitCode, stderr } = await push("--tag", "latest", "--tag", "1.0.0", ...flags);
      expect(stderr.trimEnd().split("\n")).toEqual([
        expect.stringMatching(/^waybill: .*version 1\.0\.0 is another image already/),
      ]);
      expect(exitCode).toBe(2);
    }
    const now = await Promise.all(["1.0.0", "latest", digest].map(digestOf));
    expect(now).toEqual([before.digest, before.digest, undefined]);
  });

  test("moves `latest`", async () => {
    const { exitCode } = await push("--tag", "latest");
    expect(exitCode).toBe(0);
    expect(await digestOf("latest")).toBe((await workspace.record("app")).digest);
  });

  test("takes its flags through Nx", async () => {
    const [, port] = registry.host.split(":");
    const flags = ["--registry", `localhost:${port}/of-nx`, "--tag", "2.0.0"];
    const { exitCode, stdout } = await workspace.nx("run", "app:push", ...flags);
    expect(stdout).toContain(`pushed localhost:${port}/of-nx/app@${(await workspace.record("app")).digest}`);
    expect(exitCode).toBe(0);
  });

  test("says in one line that a registry can't be reached", async () => {
    const { exitCode, stderr } = await workspace.waybill("push", "app", "--registry", "127.0.0.1:9/team");
    expect(stderr.trimEnd().split("\n")).toEqual([expect.stringMatching(/^waybill: .*127\.0\.0\.1:9/)]);
    expect(exitCode).toBe(2);
  });
});
