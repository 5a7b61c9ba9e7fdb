// The clients people have: each pushes to a registry of ours and pulls from it, and through it from another.

import { randomBytes } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hash } from "bcryptjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "@waybill/oci";
import { startRegistry } from "@waybill/testing";
import type { RunningRegistry } from "@waybill/testing";
import { startTestRegistry, temporaryFolder, upstreamAt } from "./harness.ts";
import { ask } from "./image.ts";
import { makeLayout } from "./layout.ts";

/** Debian's docker-registry, as the upstream: the reference implementation. */
let reference: RunningRegistry;
beforeAll(async () => {
  reference = await startRegistry();
});
afterAll(() => reference.stop());

const is = async (program: string): Promise<boolean> => {
  const answer = await run(program, ["--version"], { timeoutMs: 30_000 }).catch(() => undefined);
  return answer?.exitCode === 0;
};

async function skopeo(...args: string[]): Promise<string> {
  return (await run("skopeo", args, { check: true, timeoutMs: 50_000 })).stdout;
}

describe("skopeo", () => {
  it("pushes, inspects, lists, pulls, copies within and deletes", async () => {
    const folder = await temporaryFolder();
    const layout = await makeLayout(folder);
    const { url, host } = await startTestRegistry();
    await skopeo("copy", "--dest-tls-verify=false", `oci:${layout}:latest`, `docker://${host}/team/api:1.0`);
    const inspected = JSON.parse(await skopeo("inspect", "--tls-verify=false", `docker://${host}/team/api:1.0`)) as {
      Digest: string;
    };
    expect((await ask(url, "/v2/team/api/manifests/1.0")).headers.get("docker-content-digest")).toBe(inspected.Digest);
    await skopeo(
      "copy",
      "--src-tls-verify=false",
      "--dest-tls-verify=false",
      `docker://${host}/team/api:1.0`,
      `docker://${host}/team/copy:1.0`,
    );
    expect(await skopeo("list-tags", "--tls-verify=false", `docker://${host}/team/copy`)).toContain('"1.0"');
    await skopeo("copy", "--src-tls-verify=false", `docker://${host}/team/copy:1.0`, `oci:${join(folder, "out")}:x`);
    await skopeo("delete", "--tls-verify=false", `docker://${host}/team/copy:1.0`);
    expect((await ask(url, "/v2/team/copy/manifests/1.0")).status).toBe(404);
  });

  it("pulls through from Debian's docker-registry, and again when that is gone", async () => {
    const folder = await temporaryFolder();
    const layout = await makeLayout(folder);
    const upstream = await startRegistry();
    const registry = await startTestRegistry(upstreamAt(`http://${upstream.host}`));
    await skopeo("copy", "--dest-tls-verify=false", `oci:${layout}:latest`, `docker://${upstream.host}/team/api:1.0`);
    const from = `docker://${registry.host}/example.com/team/api:1.0`;
    await skopeo("copy", "--src-tls-verify=false", from, `oci:${join(folder, "cold")}:x`);
    await upstream.stop();
    await skopeo("copy", "--src-tls-verify=false", from, `oci:${join(folder, "stale")}:x`);
  });

  it("logs in to a private upstream with the password that we were given", async () => {
    const folder = await temporaryFolder();
    const layout = await makeLayout(folder);
    const upstream = await startRegistry({ auth: true });
    const { username, password } = upstream.user as { username: string; password: string };
    const creds = `${username}:${password}`;
    await skopeo(
      "copy",
      "--dest-tls-verify=false",
      "--dest-creds",
      creds,
      `oci:${layout}:latest`,
      `docker://${upstream.host}/team/api:1.0`,
    );
    const passwordFile = join(folder, "password");
    await writeFile(passwordFile, password);
    const { host } = await startTestRegistry(
      upstreamAt(`http://${upstream.host}`, { credentials: { username, passwordFile } }),
    );
    await skopeo(
      "copy",
      "--src-tls-verify=false",
      `docker://${host}/example.com/team/api:1.0`,
      `oci:${join(folder, "out")}:x`,
    );
    await upstream.stop();
  });
});

describe.each(["podman", "buildah"])("%s", (program) => {
  it("pulls from us as a mirror, pushes and pulls", async ({ skip }) => {
    const there = await is(program);
    if (!there) console.warn(`SKIPPED: no ${program} here (apt-get install ${program})`);
    skip(!there, `needs ${program}`);
    const folder = await temporaryFolder();
    const layout = await makeLayout(folder);
    const registry = await startTestRegistry(upstreamAt(`http://${reference.host}`));
    await skopeo("copy", "--dest-tls-verify=false", `oci:${layout}:latest`, `docker://${reference.host}/team/api:1.0`);
    const conf = join(folder, "registries.conf");
    await writeFile(
      conf,
      `[[registry]]\nprefix = "example.com"\nlocation = "example.com"\n[[registry.mirror]]\nlocation = "${registry.host}/example.com"\ninsecure = true\n`,
    );
    await writeFile(join(folder, "policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
    const storage = ["--root", join(folder, "storage"), "--runroot", join(folder, "run"), "--storage-driver", "vfs"];
    const engine = async (...args: string[]): Promise<string> => {
      const env = { CONTAINERS_REGISTRIES_CONF: conf };
      return (await run(program, [...storage, ...args], { check: true, timeoutMs: 50_000, env })).stdout;
    };
    const policy = ["--signature-policy", join(folder, "policy.json")];
    await engine("pull", ...policy, "example.com/team/api:1.0");
    expect(registry.server.registry.pulls.newest()[0]).toMatchObject({ image: "example.com/team/api:1.0" });
    await engine(
      "push",
      ...policy,
      "--tls-verify=false",
      "example.com/team/api:1.0",
      `docker://${registry.host}/mine/api:1.0`,
    );
    await engine("pull", ...policy, "--tls-verify=false", `${registry.host}/mine/api:1.0`);
    await rm(join(folder, "storage"), { recursive: true, force: true });
  });
});

describe("oras", () => {
  /** In a folder with the files it takes and brings, and passwords of its own. */
  async function begin(skip: (condition: boolean, note: string) => void): Promise<Oras> {
    const there = await run("oras", ["version"], { timeoutMs: 30_000 }).catch(() => undefined);
    if (!there) console.warn("SKIPPED: no oras here (https://oras.land)");
    skip(!there, "needs oras");
    const folder = await temporaryFolder();
    await writeFile(join(folder, "model.bin"), randomBytes(100_000));
    await writeFile(join(folder, "sbom.json"), "{}");
    const env = { DOCKER_CONFIG: folder };
    const oras = async (...args: string[]): Promise<string> =>
      (await run("oras", args, { check: true, timeoutMs: 50_000, cwd: folder, env })).stdout;
    return { folder, oras };
  }

  it("logs in, pushes files, attaches, copies to a layout and back, pulls and deletes", async ({ skip }) => {
    const { folder, oras } = await begin(skip);
    await writeFile(join(folder, "htpasswd"), `ann:${await hash("secret", 4)}\n`);
    const rules = [{ repositories: "team/**", read: ["users"] }];
    const { host } = await startTestRegistry({ access: { htpasswd: "htpasswd", rules } }, folder);
    const name = `${host}/team/model`;
    await expect(oras("repo", "tags", "--plain-http", name)).rejects.toThrow(/credential/);
    await oras("login", "--plain-http", "--username", "ann", "--password", "secret", host);
    await oras("push", "--plain-http", "--artifact-type", "application/x.model", `${name}:1.0`, "model.bin");
    await oras("attach", "--plain-http", "--artifact-type", "application/x.sbom", `${name}:1.0`, "sbom.json");
    await oras("cp", "--recursive", "--from-plain-http", "--to-oci-layout", `${name}:1.0`, "layout:1.0");
    await oras("cp", "--recursive", "--from-oci-layout", "--to-plain-http", "layout:1.0", `${host}/team/copy:1.0,a`);
    expect(await oras("repo", "ls", "--plain-http", host)).toBe("team/copy\nteam/model\n");
    expect(await oras("repo", "tags", "--plain-http", `${host}/team/copy`)).toBe("1.0\na\n");
    expect(await oras("discover", "--plain-http", `${host}/team/copy:a`)).toContain("application/x.sbom");
    await oras("pull", "--plain-http", "--output", "out", `${host}/team/copy:1.0`);
    const [sent, came] = await Promise.all(["model.bin", "out/model.bin"].map((file) => readFile(join(folder, file))));
    expect(came).toEqual(sent);
    // It deletes by digest: both tags are gone.
    await oras("manifest", "delete", "--plain-http", "--force", `${host}/team/copy:a`);
    expect(await oras("repo", "tags", "--plain-http", `${host}/team/copy`)).toBe("");
  });

  it("pulls through with what is attached, and again when the upstream is gone", async ({ skip }) => {
    const { oras } = await begin(skip);
    const upstream = await startRegistry();
    const { host } = await startTestRegistry(upstreamAt(`http://${upstream.host}`));
    const there = `${upstream.host}/team/model:1.0`;
    await oras("push", "--plain-http", "--artifact-type", "application/x.model", there, "model.bin");
    await oras("attach", "--plain-http", "--artifact-type", "application/x.sbom", there, "sbom.json");
    for (const layout of ["cold:1.0", "stale:1.0"]) {
      const here = `${host}/example.com/team/model:1.0`;
      await oras("cp", "--recursive", "--from-plain-http", "--to-oci-layout", here, layout);
      expect(await oras("discover", "--oci-layout", layout)).toContain("application/x.sbom");
      await upstream.stop();
    }
  });
});

interface Oras {
  folder: string;
  /** Runs it. @returns what it printed */
  oras(...args: string[]): Promise<string>;
}
