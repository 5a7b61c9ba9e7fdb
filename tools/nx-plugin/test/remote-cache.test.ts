// Machines that share nothing but a registry: what the first builds, the others have.

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RegistryClient, anonymous } from "@waybill/oci/registry";
import { type RunningRegistry, startRegistry } from "@waybill/testing";
import { body, on, proxyOf, silence } from "../../cache/test/support/proxy.ts";
import { Machine, sources } from "./support/machine.ts";

const FILES = {
  "images/bases/base/Dockerfile": "FROM scratch\nCOPY src /src\n",
  "images/bases/base/src/file": "base 1\n",
  "images/app/Dockerfile": "ARG BASE=waybill/base\nFROM ${BASE}\nCOPY src /app\n",
  "images/app/.dockerignore": "*\n!src\n",
  "images/app/src/file": "app 1\n",
  "images/app/project.json": { name: "app" },
};
const REPOSITORY = "team/nx-cache";

describe("two machines", { timeout: 120_000 }, () => {
  let registry: RunningRegistry;
  let client: RegistryClient;
  let first: Machine;
  let second: Machine;
  beforeAll(async () => {
    registry = await startRegistry();
    client = new RegistryClient(registry.host, { credentials: anonymous });
    first = await Machine.create(FILES, `${registry.host}/${REPOSITORY}`);
    second = await Machine.create(FILES, `${registry.host}/${REPOSITORY}`, { engine: false });
  });
  afterAll(async () => {
    await registry.stop();
    await first.remove();
    await second.remove();
  });

  const layout = (machine: Machine): boolean => existsSync(machine.workspace.path("images/app/dist/layout/index.json"));

  test("the second has the records of the first, and no bytes", async () => {
    expect(sources(await first.build())).toEqual({ app: "built", base: "built" });
    const output = await second.build();
    expect(sources(output)).toEqual({ app: "remote", base: "remote" });
    expect(output).toContain("  2 images: 2 from the remote cache\n");
    expect(await second.workspace.record("app")).toEqual(await first.workspace.record("app"));
    expect(existsSync(second.workspace.store)).toBe(false);
    expect(layout(second)).toBe(false);
  });

  test("an entry says of which project, target and commit it is", async () => {
    const tags = (await client.listTags(REPOSITORY)).filter((tag) => tag.startsWith("nx-"));
    const manifests = await Promise.all(tags.map((tag) => client.getManifest(REPOSITORY, tag)));
    const annotations = manifests.map((found) => JSON.parse(found!.bytes.toString("utf8")).annotations as object);
    const of = (project: string): object =>
      expect.objectContaining({ "dev.waybill.cache.project": project, "dev.waybill.cache.target": "docker-build" });
    expect(annotations).toEqual(expect.arrayContaining([of("app"), of("base")]));
  });

  test("asks the registry again whether a record of the local cache has its image there", async () => {
    expect(sources(await second.build())).toEqual({ app: "local", base: "local" });
    expect(existsSync(second.workspace.store)).toBe(false);
  });

  test("fetches the bytes for who wants them", async () => {
    const pushed = await second.waybill(
      {},
      "push",
      "app",
      "--registry",
      `${registry.host}/elsewhere`,
      "--tag",
      "1.0.0",
    );
    expect(pushed.stderr).toBe("");
    expect(pushed.stdout).toMatch(/ mounted$/m);
    expect(pushed.stdout).not.toMatch(/ uploaded$/m);
    const { digest } = await first.workspace.record("app");
    expect((await client.headManifest("elsewhere/app", digest))?.digest).toBe(digest);
    expect(layout(second)).toBe(true);
  });

  test("fetches all of them at once when it is told to", async () => {
    await rm(second.workspace.store, { recursive: true });
    expect(sources(await second.build({ WAYBILL_MATERIALIZE: "1" }))).toEqual({ app: "local", base: "local" });
    expect(layout(second)).toBe(true);
    expect(existsSync(second.workspace.path("images/bases/base/dist/layout/index.json"))).toBe(true);
  });

  test("builds on a base that only the registry has", async () => {
    const third = await Machine.create(FILES, `${registry.host}/${REPOSITORY}`);
    await third.build();
    await third.workspace.write({ "images/app/src/file": "app 2\n" });
    expect(sources(await third.build())).toEqual({ app: "built", base: "local" });
    const { bases } = await third.workspace.record("app");
    expect(bases).toEqual([{ reference: "waybill/base", digest: (await first.workspace.record("bases/base")).digest }]);
    await third.remove();
  });

  test("builds an image again that the registry has lost", async () => {
    const { digest } = await first.workspace.record("app");
    await client.deleteManifest(REPOSITORY, digest);
    const third = await Machine.create(FILES, `${registry.host}/${REPOSITORY}`);
    expect(sources(await third.build())).toEqual({ app: "built", base: "remote" });
    expect((await third.workspace.record("app")).digest).toBe(digest);
    expect((await client.headManifest(REPOSITORY, digest))?.digest).toBe(digest);
    await third.remove();
  });

  test("builds the image of a local record again where neither place has it", async () => {
    const { digest } = await first.workspace.record("app");
    await client.deleteManifest(REPOSITORY, digest);
    await rm(first.workspace.store, { recursive: true });
    expect(sources(await first.build())).toEqual({ app: "rebuilt", base: "local" });
    expect((await first.workspace.record("app")).digest).toBe(digest);
  });

  test("is not in the way where it is off", async () => {
    const third = await Machine.create({ ...FILES, "images/app/src/file": "app 3\n" }, "off");
    const before = (await client.listTags(REPOSITORY)).length;
    expect(sources(await third.build())).toEqual({ app: "built", base: "built" });
    expect((await client.listTags(REPOSITORY)).length).toBe(before);
    await third.remove();
  });
});

describe("a run", { timeout: 120_000 }, () => {
  let registry: RunningRegistry;
  let first: Machine;
  const machines: Machine[] = [];
  beforeAll(async () => {
    registry = await startRegistry();
    first = await another();
    await first.build();
  });
  afterAll(async () => {
    for (const machine of machines) await machine.remove();
    await registry.stop();
  });

  async function another(host = registry.host): Promise<Machine> {
    const machine = await Machine.create(FILES, `${host}/${REPOSITORY}`);
    machines.push(machine);
    return machine;
  }

  const records = async (machine: Machine): Promise<string[]> =>
    await Promise.all(["bases/base", "app"].map(async (name) => (await machine.workspace.record(name)).digest));

  test.each([
    { NX_DAEMON: "false", NX_ISOLATE_PLUGINS: "true" },
    { NX_DAEMON: "true", NX_ISOLATE_PLUGINS: "false" },
    { NX_DAEMON: "true", NX_ISOLATE_PLUGINS: "true" },
    { NX_PARALLEL: "1" },
    { NX_PARALLEL: "8" },
    { HTTP_PROXY: "http://127.0.0.1:9", http_proxy: "http://127.0.0.1:9", ALL_PROXY: "http://127.0.0.1:9" },
  ])("with %o has all from the cache", async (env) => {
    const machine = await another();
    const output = await machine.build(env);
    expect(output).toMatch(/\[remote cache\]/);
    expect(await records(machine)).toEqual(await records(first));
    expect(existsSync(machine.workspace.store)).toBe(false);
    if (env.NX_DAEMON === "true") await machine.nx(env, "daemon", "--stop");
  });

  test("has a server of its own, with others at the same time", async () => {
    const others = await Promise.all([another(), another(), another()]);
    const outputs = await Promise.all(others.map((machine) => machine.build()));
    for (const output of outputs) expect(sources(output)).toEqual({ app: "remote", base: "remote" });
  });

  test("shares the daemon's with others at the same time", async () => {
    const machine = await another();
    const env = { NX_DAEMON: "true" };
    await machine.nx(env, "show", "projects");
    const projects = ["app", "base"];
    const runs = await Promise.all(projects.map((project) => machine.nx(env, "run", `${project}:docker-build`)));
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    await machine.nx(env, "daemon", "--stop");
  });

  test("goes on where the registry says nothing, and tells it once", async () => {
    const proxy = await proxyOf(registry.host, silence);
    const machine = await another(proxy.host);
    const output = await machine.build();
    expect(sources(output)).toEqual({ app: "built", base: "built" });
    expect(output.match(/^waybill: .*$/gm)).toEqual([
      `waybill: remote cache: off for this run: no answer within 2 s, ${proxy.host}/${REPOSITORY}`,
    ]);
    expect(await records(machine)).toEqual(await records(first));
  });

  test("goes on where what it gets is no archive, and tells it once", async () => {
    const proxy = await proxyOf(registry.host, on(/^GET .*\/manifests\/nx-/, body(Buffer.from("no manifest"))));
    const machine = await another(proxy.host);
    const output = await machine.build();
    expect(sources(output)).toEqual({ app: "built", base: "built" });
    expect(output.match(/^waybill: remote cache: .*$/gm)).toEqual([
      expect.stringContaining("not used: not valid JSON"),
    ]);
    expect(await records(machine)).toEqual(await records(first));
  });

  test("goes on where a location makes no sense", async () => {
    const machine = await another("https://host:port:path");
    const output = await machine.build();
    expect(sources(output)).toEqual({ app: "built", base: "built" });
    expect(output).toMatch(/^waybill: no remote cache: /m);
  });
});
