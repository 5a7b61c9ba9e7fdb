// Against the registry most people run. What it accepts and gives back is the proof; faults are in faults.test.ts.

import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf, recordOf, run } from "@waybill/oci";
import { carryOut, planPush, pull, RegistryClient } from "@waybill/oci/registry";
import type { BlobStore } from "@waybill/oci";
import type { Credentials, PushPlan } from "@waybill/oci/registry";
// By path: the package as a whole stands on rooms above this one.
import { startRegistry } from "../../testing/src/registry.ts";
import type { RunningRegistry } from "../../testing/src/registry.ts";
import { blobOf, putImage, temporaryStore } from "./fixtures.ts";

let registry: RunningRegistry;
let client: RegistryClient;
beforeAll(async () => {
  registry = await startRegistry();
  client = new RegistryClient(registry.host);
});
afterAll(() => registry.stop());

async function push(store: BlobStore, repository: string, tags: string[], seed = "a"): Promise<PushPlan> {
  const { digest } = await putImage(store, seed);
  const plan = await planPush(client, store, digest, repository, tags);
  await carryOut(client, store, plan);
  return plan;
}

describe("pushing an image", () => {
  it("puts the same bytes under the same digest, and tags on it", async () => {
    const store = await temporaryStore();
    const { digest } = await push(store, "push/api", ["1.2.3", "latest"]);
    const stored = await client.getManifest("push/api", "latest");
    expect(stored?.digest).toBe(digest);
    expect(stored?.bytes).toEqual(await store.read(digest));
    expect((await client.listTags("push/api")).sort()).toEqual(["1.2.3", "latest"]);
  });

  it("plans without changing anything", async () => {
    const store = await temporaryStore();
    const { digest } = await putImage(store);
    const plan = await planPush(client, store, digest, "push/dry", ["1.0.0"]);
    expect(plan.blobs.map(({ action }) => action)).toEqual(["upload", "upload", "upload", "upload"]);
    expect(plan.manifests.map(({ action }) => action)).toEqual(["send", "send", "send"]);
    expect(plan.manifests.at(-1)?.digest).toBe(digest);
    expect(plan.tags).toEqual([{ tag: "1.0.0", current: undefined, action: "create" }]);
    expect(await client.listTags("push/dry")).toEqual([]);
  });

  it("sends nothing twice", async () => {
    const store = await temporaryStore();
    const { digest } = await push(store, "push/twice", ["1.0.0"]);
    const plan = await planPush(client, store, digest, "push/twice", ["1.0.0"]);
    const actions = [...plan.blobs, ...plan.manifests, ...plan.tags].map(({ action }) => action);
    expect(new Set(actions)).toEqual(new Set(["keep"]));
  });

  it("moves a floating tag, and never a version's", async () => {
    const store = await temporaryStore();
    const first = await push(store, "push/move", ["v1.0.0", "latest"], "a");
    const second = await push(store, "push/move", ["latest"], "b");
    expect((await client.headManifest("push/move", "latest"))?.digest).toBe(second.digest);
    const refused = await planPush(client, store, second.digest, "push/move", ["latest", "v1.0.0"]);
    expect(refused.tags[1]).toEqual({ tag: "v1.0.0", current: first.digest, action: "refuse" });
    await expect(carryOut(client, store, refused)).rejects.toThrow(
      /^version tag v1\.0\.0 names .* already.*: release a new version$/,
    );
    expect((await client.headManifest("push/move", "v1.0.0"))?.digest).toBe(first.digest);
  });

  it("mounts the layers another repository has", async () => {
    const store = await temporaryStore();
    const { digest } = await push(store, "mount/base", []);
    const actions: string[] = [];
    const plan = await planPush(client, store, digest, "mount/api", []);
    await carryOut(client, store, plan, { mountFrom: "mount/base", onProgress: ({ action }) => actions.push(action) });
    expect(actions.slice(0, 4)).toEqual(["mounted", "mounted", "mounted", "mounted"]);
  });

  it("names the layer that is not here before it sends any", async () => {
    const store = await temporaryStore();
    const { digest } = await putImage(store);
    const { platforms } = await recordOf(store, digest, { name: "api" });
    await rm(store.path(platforms[0]!.layers[0]!.digest));
    await expect(planPush(client, store, digest, "push/hole", [])).rejects.toThrow(
      /missing or cut short.*build the image again/,
    );
  });
});

describe("pulling an image", () => {
  it("brings all platforms, and what is here already is not fetched", async () => {
    const source = await temporaryStore();
    const target = await temporaryStore();
    const { digest } = await push(source, "pull/api", []);
    const actions: string[] = [];
    const pullOnce = () =>
      pull(client, "pull/api", digest, target, { onProgress: ({ action }) => actions.push(action) });
    await pullOnce();
    const facts = { name: "api" };
    expect(await recordOf(target, digest, facts)).toEqual(await recordOf(source, digest, facts));
    await pullOnce();
    expect(actions).toEqual([...Array<string>(4).fill("fetched"), ...Array<string>(4).fill("exists")]);
  });

  it("says so where there is no such image", async () => {
    const digest = digestOf("nothing");
    const result = pull(client, "pull/none", digest, await temporaryStore());
    await expect(result).rejects.toThrow(
      `the registry has no such image, ${registry.host}/pull/none@${digest}: build it`,
    );
  });
});

describe("blobs, manifests and tags", () => {
  it("streams a blob of several megabytes there and back", async () => {
    const bytes = Buffer.alloc(5_000_000, "waybill");
    expect(await client.blobs.push("blobs/large", blobOf(bytes))).toBe("uploaded");
    expect(await client.blobs.push("blobs/large", blobOf(bytes))).toBe("exists");
    const chunks = await client.blobs.get("blobs/large", digestOf(bytes), bytes.length).toArray();
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  it("takes the empty blob too", async () => {
    expect(await client.blobs.push("blobs/empty", blobOf(Buffer.alloc(0)))).toBe("uploaded");
  });

  it("are gone once deleted", async () => {
    const store = await temporaryStore();
    const { digest } = await push(store, "delete/api", ["latest"]);
    expect(await client.deleteManifest("delete/api", digest)).toBe(true);
    expect(await client.deleteManifest("delete/api", digest)).toBe(false);
    expect(await client.headManifest("delete/api", digest)).toBeUndefined();
    expect(await client.blobs.delete("delete/api", digestOf("never there"))).toBe(false);
  });

  it("can't be named so as to leave the repository", async () => {
    await expect(client.listTags("../_catalog")).rejects.toThrow('"../_catalog" is not the name of a repository');
  });
});

describe("a registry that asks who we are", () => {
  it("lets the user in, and tells anyone else how to log in", async () => {
    const closed = await startRegistry({ auth: true });
    try {
      const known: Credentials = { kind: "basic", ...closed.user! };
      const user = new RegistryClient(closed.host, { credentials: async () => known });
      await user.ping();
      expect(await user.blobs.push("team/api", blobOf(Buffer.from("bytes")))).toBe("uploaded");
      const stranger = new RegistryClient(closed.host, { credentials: async () => ({ ...known, password: "wrong" }) });
      const refused = {
        status: 401,
        codes: ["UNAUTHORIZED"],
        message: expect.stringContaining(`docker login ${closed.host}`),
      };
      await expect(stranger.ping()).rejects.toMatchObject(refused);
    } finally {
      await closed.stop();
    }
  });
});

describe("a registry with a CA of its own", () => {
  it("is trusted through NODE_EXTRA_CA_CERTS alone", async () => {
    const secure = await startRegistry({ tls: true });
    try {
      // Node reads the variable once, as it starts.
      const program = `import { messageOf } from "@waybill/oci";
import { RegistryClient } from "@waybill/oci/registry";
        const client = new RegistryClient("${secure.host}", { plainHttp: false });
        await client.ping().then(() => console.log("trusted"), (error) => console.log(messageOf(error)));`;
      const ask = async (ca?: string) => {
        const env = { NODE_EXTRA_CA_CERTS: ca };
        const args = ["--input-type=module", "--eval", program];
        return (await run(process.execPath, args, { cwd: import.meta.dirname, env, check: true })).stdout.trim();
      };
      expect(await ask(secure.ca)).toBe("trusted");
      expect(await ask()).toMatch(/^no answer from the registry.*: set NODE_EXTRA_CA_CERTS/);
    } finally {
      await secure.stop();
    }
  });
});
