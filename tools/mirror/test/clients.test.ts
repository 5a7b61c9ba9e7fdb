// The settings we write, read by the clients they are for: each pulls through the mirror, and from the upstream when the mirror is down.

import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { run } from "@waybill/oci";
import { engineProgram } from "@waybill/testing";
import { type TestContext, describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../registry/test/harness.ts";
import { daemonFolder, startDaemon } from "./support/daemon.ts";
import { startWorld } from "./support/world.ts";

const LIMIT_MS = 120_000;

/** The programs' paths; the test is skipped, out loud, where one is missing. */
async function need<const Names extends readonly string[]>(
  { skip }: TestContext,
  names: Names,
  find: (name: string) => Promise<string | undefined>,
): Promise<Record<Names[number], string>> {
  const found = await Promise.all(names.map(async (name) => [name, await find(name)] as const));
  const missing = found.filter(([, path]) => path === undefined).map(([name]) => name);
  if (missing.length > 0) console.warn(`SKIPPED: ${missing.join(", ")} can't be run here`);
  skip(missing.length > 0, `needs ${missing.join(", ")}`);
  return Object.fromEntries(found) as Record<Names[number], string>;
}

const onSystem = async (program: string): Promise<string | undefined> => {
  const answer = await run(program, ["--version"], { timeoutMs: 30_000 }).catch(() => undefined);
  return answer?.exitCode === 0 ? program : undefined;
};

const DROP_IN = "etc/containers/registries.conf.d/50-waybill-mirror.conf";
const REFERENCE = "example.com/team/api:1.0";

describe.each(["podman", "buildah", "skopeo"])("%s with registries.conf", { timeout: LIMIT_MS }, (name) => {
  it("asks the mirror first, and the upstream when it is down", async (context) => {
    await need(context, [name], onSystem);
    const world = await startWorld("example.com");
    const folder = await temporaryFolder();
    const home = await homeWith(join(await world.settingsOf("podman"), DROP_IN));
    const policy = join(folder, "policy.json");
    await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
    // podman takes none longer than 50 characters.
    const runRoot = await mkdtemp("/tmp/run-");
    onTestFinished(() => rm(runRoot, { recursive: true, force: true }));
    const pull = async (to: string): Promise<void> => {
      const storage = ["--root", join(folder, to), "--runroot", join(runRoot, to), "--storage-driver", "vfs"];
      const args =
        name === "skopeo"
          ? ["--policy", policy, "copy", `docker://${REFERENCE}`, `oci:${join(folder, to)}:x`]
          : [...storage, "pull", "--signature-policy", policy, REFERENCE];
      await run(name, args, {
        check: true,
        env: { HOME: home, XDG_CONFIG_HOME: undefined, CONTAINERS_REGISTRIES_CONF: undefined },
        timeoutMs: LIMIT_MS,
      });
    };
    await pull("through");
    expect(world.pulled()).toBe("example.com/team/api");
    await world.mirror.stop();
    await pull("around");
  });
});

describe("containerd with hosts.toml", { timeout: LIMIT_MS }, () => {
  it("asks the mirror first, and the upstream when it is down", async (context) => {
    const { containerd, ctr } = await need(context, ["containerd", "ctr"], engineProgram);
    const world = await startWorld("example.com");
    const hosts = join(await world.settingsOf("containerd"), "etc/containerd/certs.d");
    const { address } = await startContainerd(containerd, ctr);
    const pull = async (): Promise<void> => {
      const args = ["--address", address, "images", "pull", "--snapshotter", "native", "--hosts-dir", hosts, REFERENCE];
      await run(ctr, args, { check: true, timeoutMs: LIMIT_MS });
    };
    await pull();
    expect(world.pulled()).toBe("example.com/team/api");
    await run(ctr, ["--address", address, "images", "rm", "--sync", REFERENCE], { check: true });
    await world.mirror.stop();
    await pull();
  });
});

describe.each([
  ["its own image store", { "containerd-snapshotter": false }],
  ["containerd's image store", { "containerd-snapshotter": true }],
])("docker with %s and daemon.json", { timeout: LIMIT_MS }, (_store, features) => {
  it("has Docker Hub's images from the mirror, and others by name", async (context) => {
    const programs = await need(context, ["containerd", "ctr", "dockerd", "docker"], engineProgram);
    const inContainerd = features["containerd-snapshotter"];
    const world = await startWorld("docker.io", inContainerd ? {} : { fallback: "docker.io" });
    const written = join(await world.settingsOf("docker"), "etc/docker/daemon.json");
    const { address, folder } = await startContainerd(programs.containerd, programs.ctr);
    const settings = JSON.parse(await readFile(written, "utf8")) as object;
    await writeFile(join(folder, "daemon.json"), JSON.stringify({ ...settings, features }));
    const socket = `unix://${join(folder, "docker.sock")}`;
    const docker = (...args: string[]): ReturnType<typeof run> =>
      run(programs.docker, ["--host", socket, ...args], { timeoutMs: LIMIT_MS });
    const args = [
      `--config-file=${join(folder, "daemon.json")}`,
      `--pidfile=${join(folder, "docker.pid")}`,
      `--data-root=${join(folder, "docker")}`,
      `--exec-root=${join(folder, "x")}`,
      "--bridge=none",
      "--iptables=false",
      "--ip6tables=false",
      `--host=${socket}`,
      `--containerd=${address}`,
      `--storage-driver=${inContainerd ? "native" : "vfs"}`,
    ];
    const path = [dirname(programs.containerd), dirname(programs.dockerd), process.env["PATH"]].join(":");
    await startDaemon(programs.dockerd, args, async () => (await docker("version")).exitCode === 0, { PATH: path });
    const mirrored = await docker("pull", "team/api:1.0");
    expect(mirrored.exitCode, mirrored.stderr).toBe(0);
    expect(world.pulled()).toBe("docker.io/team/api");
    const named = await docker("pull", `${world.mirror.host}/docker.io/team/api:1.0`);
    expect(named.exitCode, named.stderr).toBe(0);
  });
});

describe("BuildKit with buildkitd.toml", { timeout: LIMIT_MS }, () => {
  it("asks the mirror first, and the upstream when it is down", async (context) => {
    const { buildkitd, buildctl } = await need(context, ["buildkitd", "buildctl"], engineProgram);
    const world = await startWorld();
    const folder = await daemonFolder();
    const config = join(await world.settingsOf("buildkit"), "etc/buildkit/buildkitd.toml");
    const address = `unix://${join(folder, "buildkitd.sock")}`;
    const ask = (...args: string[]): ReturnType<typeof run> =>
      run(buildctl, ["--addr", address, ...args], { timeoutMs: LIMIT_MS });
    const worker = ["--oci-worker-snapshotter=native", "--containerd-worker=false"];
    const args = ["--config", config, "--root", join(folder, "data"), "--addr", address, ...worker];
    await startDaemon(buildkitd, args, async () => (await ask("debug", "workers")).exitCode === 0);
    await writeFile(join(folder, "Dockerfile"), `FROM ${world.upstream}/team/api:1.0\nCOPY Dockerfile /copied\n`);
    const sources = ["--local", `context=${folder}`, "--local", `dockerfile=${folder}`, "--no-cache"];
    const build = async (): Promise<void> => {
      const output = ["--output", `type=tar,dest=${join(folder, "out.tar")}`];
      const built = await ask("build", "--frontend", "dockerfile.v0", ...sources, ...output);
      expect(built.exitCode, built.stderr).toBe(0);
    };
    await build();
    expect(world.pulled()).toBe(`${world.upstream}/team/api`);
    await ask("prune", "--all");
    await world.mirror.stop();
    await build();
  });
});

/** A home whose containers' settings are the drop-in and nothing else. */
async function homeWith(file: string): Promise<string> {
  const home = await temporaryFolder();
  const folder = join(home, ".config/containers/registries.conf.d");
  await mkdir(folder, { recursive: true });
  await copyFile(file, join(folder, basename(file)));
  return home;
}

/** One of its own, without Kubernetes' part. */
async function startContainerd(program: string, ctr: string): Promise<{ address: string; folder: string }> {
  const folder = await daemonFolder();
  const address = join(folder, "containerd.sock");
  const config = join(folder, "containerd.toml");
  const [root, state] = [join(folder, "data"), join(folder, "state")].map((each) => JSON.stringify(each));
  await writeFile(
    config,
    `version = 2\nroot = ${root}\nstate = ${state}\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "${address}"\n`,
  );
  const answers = async (): Promise<boolean> => (await run(ctr, ["--address", address, "version"])).exitCode === 0;
  await startDaemon(program, ["-c", config], answers);
  return { address, folder };
}
