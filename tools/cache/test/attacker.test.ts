// CVE-2025-36852, played: somebody who may write to the registry tries to put a result of theirs under the hash of a task that main
// will run.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPrivateKey } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { BlobStore, MEDIA_TYPE } from "@waybill/oci";
import { RegistryClient, anonymous } from "@waybill/oci/registry";
import { type RunningRegistry, startRegistry } from "../../testing/src/registry.ts";
import { newKeyPair, publicKey, signingKey } from "../src/signature.ts";
import { builtResult, remoteOf, store } from "./support/results.ts";

const PULL_REQUEST = { GITHUB_ACTIONS: "true", GITHUB_EVENT_NAME: "pull_request", GITHUB_REF: "refs/pull/66/merge" };
const OTHER_REQUEST = { ...PULL_REQUEST, GITHUB_REF: "refs/pull/67/merge" };
const MAIN = { GITHUB_ACTIONS: "true", GITHUB_EVENT_NAME: "push", GITHUB_REF: "refs/heads/main" };

let registry: RunningRegistry;
let bytes: BlobStore;
beforeAll(async () => {
  registry = await startRegistry();
  bytes = new BlobStore(await mkdtemp(join(tmpdir(), "waybill-store-")));
});
afterAll(async () => {
  await registry.stop();
  await rm(bytes.root, { recursive: true });
});

const run = (env: Record<string, string>, options = {}) => remoteOf(registry.host, bytes, { env, ...options });

describe("a pull request", { timeout: 60_000 }, () => {
  it("can't write what main reads, nor what another one reads", async () => {
    const { tarball } = await builtResult(bytes, "evil");
    await store(run(PULL_REQUEST), "100", tarball);
    expect(await run(MAIN).get("100")).toBeUndefined();
    expect(await run(OTHER_REQUEST).get("100")).toBeUndefined();
    expect(await run(PULL_REQUEST).get("100")).toEqual(tarball);
  });

  it("reads what main wrote, before anything of its own", async () => {
    const good = await builtResult(bytes, "good");
    const evil = await builtResult(bytes, "evil 2");
    await store(run(PULL_REQUEST), "101", evil.tarball);
    await store(run(MAIN), "101", good.tarball);
    expect(await run(PULL_REQUEST).get("101")).toEqual(good.tarball);
    await store(run(PULL_REQUEST), "101", evil.tarball);
    expect(await run(MAIN).get("101")).toEqual(good.tarball);
  });

  it("leaves main's repository as it is", async () => {
    const client = new RegistryClient(registry.host, { credentials: anonymous });
    const before = (await client.listTags("team/nx-cache")).sort();
    const { tarball } = await builtResult(bytes, "evil 3");
    await store(run(PULL_REQUEST), "102", tarball);
    expect((await client.listTags("team/nx-cache")).sort()).toEqual(before);
  });

  it("may be kept from writing anything", async () => {
    const { tarball } = await builtResult(bytes, "evil 4");
    const remote = run({ ...PULL_REQUEST, WAYBILL_CACHE_TRUST: "read-only" });
    expect(remote.writable).toBe(false);
    await store(remote, "103", tarball);
    expect(await run(PULL_REQUEST).get("103")).toBeUndefined();
  });
});

describe("somebody who writes to the registry past Waybill, where entries are signed", { timeout: 60_000 }, () => {
  const ours = newKeyPair();
  const theirs = newKeyPair();
  const options = { remoteCacheKeys: [ours.publicKey] };
  const signed = { ...options, key: createPrivateKey(ours.privateKey) };
  const main = (with_: object = options) => run(MAIN, with_);

  it("has nothing read of what isn't signed", async () => {
    const { tarball } = await builtResult(bytes, "unsigned");
    await store(run(MAIN), "200", tarball);
    const remote = main();
    expect(await remote.get("200")).toBeUndefined();
    expect(remote.fault).toMatch(/^not used: entry without a signature, /);
  });

  it("has nothing read of what is signed with another key", async () => {
    const { tarball } = await builtResult(bytes, "forged");
    await store(run(MAIN, { key: createPrivateKey(theirs.privateKey) }), "201", tarball);
    const remote = main();
    expect(await remote.get("201")).toBeUndefined();
    expect(remote.fault).toMatch(/^not used: entry with a wrong signature, /);
  });

  it("can't use a good entry for another task, whatever it says of itself", async () => {
    const { tarball } = await builtResult(bytes, "old and vulnerable");
    await store(main(signed), "202", tarball);
    const client = new RegistryClient(registry.host, { credentials: anonymous });
    const good = (await client.getManifest("team/nx-cache", "nx-202"))!.bytes;
    await client.putManifest("team/nx-cache", "nx-203", MEDIA_TYPE.manifest, good);
    const relabelled = Buffer.from(good.toString("utf8").replace('hash":"202"', 'hash":"204"'));
    await client.putManifest("team/nx-cache", "nx-204", MEDIA_TYPE.manifest, relabelled);
    expect(await main().get("202")).toEqual(tarball);
    expect(await main().get("203")).toBeUndefined();
    expect(await main().get("204")).toBeUndefined();
  });

  it("can't put other bytes under a good signature", async () => {
    const good = await builtResult(bytes, "good 2");
    const evil = await builtResult(bytes, "evil 5");
    await store(main(signed), "205", good.tarball);
    await store(run(MAIN), "206", evil.tarball);
    const client = new RegistryClient(registry.host, { credentials: anonymous });
    const manifest = async (hash: string) => {
      const found = await client.getManifest("team/nx-cache", `nx-${hash}`);
      return JSON.parse(found!.bytes.toString("utf8")) as { layers: unknown; annotations: object };
    };
    const [theGood, theEvil] = [await manifest("205"), await manifest("206")];
    const mixed = Buffer.from(JSON.stringify({ ...theGood, layers: theEvil.layers }));
    await client.putManifest("team/nx-cache", "nx-205", MEDIA_TYPE.manifest, mixed);
    const remote = main();
    expect(await remote.get("205")).toBeUndefined();
    expect(remote.fault).toMatch(/entry with a wrong signature/);
  });

  it("does no lasting harm: the run that has the key puts its own result in the place", async () => {
    const evil = await builtResult(bytes, "evil 6");
    const good = await builtResult(bytes, "good 3");
    await store(run(MAIN), "207", evil.tarball);
    const remote = main(signed);
    expect(await remote.get("207")).toBeUndefined();
    await store(remote, "207", good.tarball);
    expect(await main().get("207")).toEqual(good.tarball);
  });

  it("has nothing written by runs without the key", async () => {
    const remote = main();
    expect(remote.writable).toBe(false);
    const { tarball } = await builtResult(bytes, "no key");
    await store(remote, "208", tarball);
    expect(await run(MAIN).get("208")).toBeUndefined();
  });
});

describe("keys", () => {
  it("come from the environment, or from a file that it names", async () => {
    const { privateKey } = newKeyPair();
    const folder = await mkdtemp(join(tmpdir(), "waybill-key-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "key.pem");
    await writeFile(file, privateKey);
    const direct = signingKey({ WAYBILL_CACHE_KEY: privateKey });
    const fromFile = signingKey({ WAYBILL_CACHE_KEY_FILE: file });
    expect(direct?.export({ type: "pkcs8", format: "pem" })).toBe(privateKey);
    expect(fromFile?.export({ type: "pkcs8", format: "pem" })).toBe(privateKey);
    expect(signingKey({})).toBeUndefined();
  });

  it("that are none are told without showing them", () => {
    const secret = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
    expect(() => signingKey({ WAYBILL_CACHE_KEY: secret })).toThrow(/^not an Ed25519 key, WAYBILL_CACHE_KEY: /);
    expect(() => signingKey({ WAYBILL_CACHE_KEY: secret })).not.toThrow(/c2Vj/);
    expect(() => signingKey({ WAYBILL_CACHE_KEY_FILE: "/nonexistent/key" })).toThrow(
      /can't be read .*\/nonexistent\/key/,
    );
    expect(() => publicKey("AAAA")).toThrow(/^not an Ed25519 key, remoteCacheKeys of nx\.json/);
  });
});
