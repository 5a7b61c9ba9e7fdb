// Registries that ask who is there, with the credentials where docker and podman keep them. In processes of their own, as a home, a
// helper on the PATH and a CA are a process's.

import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BlobStore, run } from "@waybill/oci";
import { type RunningRegistry, startRegistry } from "../../testing/src/registry.ts";
import { builtResult } from "./support/results.ts";

const PROCESS = fileURLToPath(new URL("./support/cache-process.ts", import.meta.url));

type Environment = Record<string, string | undefined>;

interface Outcome {
  stored: boolean;
  read: boolean;
  fault?: string;
}

let folder: string;
let store: BlobStore;
let number = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "waybill-credentials-"));
  store = new BlobStore(join(folder, "store"));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

/** Stores a result, and reads it as another process would. */
async function exchange({ host, ca }: RunningRegistry, env: Environment): Promise<Outcome> {
  const { tarball } = await builtResult(store, `${++number}`);
  const file = join(folder, `${number}.tar.gz`);
  await writeFile(file, tarball);
  const clean = { HOME: folder, DOCKER_CONFIG: undefined, REGISTRY_AUTH_FILE: undefined, XDG_RUNTIME_DIR: undefined };
  const args = [PROCESS, `${host}/team/nx-cache`, store.root, String(number), file];
  const { stdout, stderr } = await run(process.execPath, args, {
    env: { ...clean, XDG_CONFIG_HOME: undefined, NODE_EXTRA_CA_CERTS: ca, ...env },
  });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Outcome;
}

async function homeWith(files: Record<string, string | object>): Promise<string> {
  const home = await mkdtemp(join(folder, "home-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(home, name, ".."), { recursive: true });
    await writeFile(join(home, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return home;
}

const auth = (username: string, password: string): object => ({
  auth: Buffer.from(`${username}:${password}`).toString("base64"),
});

const GOOD: Outcome = { stored: true, read: true };

/** How they are shown. */
describe.each<[string, Parameters<typeof startRegistry>[0]]>([
  ["basic", { auth: true }],
  ["token", { token: true }],
  ["basic over TLS with a CA of its own", { auth: true, tls: true }],
  ["token over TLS with a CA of its own", { token: true, tls: true }],
])("a registry with %s authentication", { timeout: 60_000 }, (_kind, needs) => {
  let registry: RunningRegistry;
  let entry: object;
  beforeAll(async () => {
    registry = await startRegistry(needs);
    entry = auth(registry.user!.username, registry.user!.password);
  });
  afterAll(() => registry.stop());

  it("is used with docker's config.json", async () => {
    const home = await homeWith({ ".docker/config.json": { auths: { [registry.host]: entry } } });
    expect(await exchange(registry, { HOME: home })).toEqual(GOOD);
  });

  it.each(["no credentials", "a wrong password"])("is left alone with %s", async (what) => {
    const auths = what === "no credentials" ? {} : { [registry.host]: auth("waybill", "wrong") };
    const home = await homeWith({ ".docker/config.json": { auths } });
    const outcome = await exchange(registry, { HOME: home });
    expect(outcome).toMatchObject({ stored: false, read: false });
    expect(outcome.fault).toMatch(/^off for this run: .* 401.*log in with `docker login/);
    expect(outcome.fault).not.toContain("wrong");
  });
});

/** Where they are found. */
describe("a registry with users", { timeout: 60_000 }, () => {
  let registry: RunningRegistry;
  let entry: object;
  beforeAll(async () => {
    registry = await startRegistry({ token: true });
    entry = auth(registry.user!.username, registry.user!.password);
  });
  afterAll(() => registry.stop());

  it("is used with podman's file, named by REGISTRY_AUTH_FILE", async () => {
    const home = await homeWith({ "auth.json": { auths: { [registry.host]: entry } } });
    expect(await exchange(registry, { REGISTRY_AUTH_FILE: join(home, "auth.json") })).toEqual(GOOD);
  });

  it("is used with podman's entry for this repository alone", async () => {
    const auths = { [`${registry.host}/team/nx-cache`]: entry, [registry.host]: auth("nobody", "x") };
    const home = await homeWith({ ".config/containers/auth.json": { auths } });
    expect(await exchange(registry, { HOME: home })).toEqual(GOOD);
  });

  it.each(["credsStore", "credHelpers"])("is used with a credential helper (%s)", async (setting) => {
    const { username, password } = registry.user!;
    const helper = `#!/bin/sh\nread -r host\n[ "$1 $host" = "get ${registry.host}" ] && echo '{"Username":"${username}","Secret":"${password}"}'\n`;
    const config = setting === "credsStore" ? { credsStore: "test" } : { credHelpers: { [registry.host]: "test" } };
    const home = await homeWith({ ".docker/config.json": config, "bin/docker-credential-test": helper });
    await chmod(join(home, "bin/docker-credential-test"), 0o755);
    const PATH = `${join(home, "bin")}:${process.env["PATH"]}`;
    expect(await exchange(registry, { HOME: home, PATH })).toEqual(GOOD);
  });

  it("is read by who may only read", async () => {
    const home = await homeWith({ ".docker/config.json": { auths: { [registry.host]: entry } } });
    expect(await exchange(registry, { HOME: home })).toEqual(GOOD);
    const reader = auth("reader", registry.user!.password);
    const other = await homeWith({ ".docker/config.json": { auths: { [registry.host]: reader } } });
    const outcome = await exchange(registry, { HOME: other, READ: String(number) });
    expect(outcome).toMatchObject({ stored: false, read: true });
    expect(outcome.fault).toMatch(/^nothing is stored in this run: the registry answered 401/);
  });
});

describe("a registry whose CA nobody knows", { timeout: 60_000 }, () => {
  it("is left alone, with the line that helps", async () => {
    const registry = await startRegistry({ tls: true });
    const outcome = await exchange(registry, { NODE_EXTRA_CA_CERTS: undefined, HTTPS: "1" });
    expect(outcome).toMatchObject({ stored: false, read: false });
    expect(outcome.fault).toMatch(/: set NODE_EXTRA_CA_CERTS to the file of the CA/);
    await registry.stop();
  });
});
