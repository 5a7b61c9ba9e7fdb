import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { credentialSource } from "@waybill/oci/registry";
import { parseChallenges } from "../src/registry/challenge.ts";
import { endpointOf } from "../src/registry/endpoint.ts";
import { mayReceiveCredentials } from "../src/registry/realm.ts";
import { temporaryFolder } from "./fixtures.ts";

const auth = (pair: string) => ({ auth: Buffer.from(pair).toString("base64") });
const basic = (username: string, password: string) => ({ kind: "basic", username, password });

/** A source that sees one docker config.json, in a home of its own. */
async function sourceOf(config: object) {
  const home = await temporaryFolder();
  await writeFile(join(home, "config.json"), JSON.stringify(config));
  return credentialSource({ HOME: home, DOCKER_CONFIG: home, PATH: `${home}:${process.env["PATH"]}` });
}

describe("credentials", () => {
  it("are found under the registry's exact name alone", async () => {
    const find = await sourceOf({ auths: { "ghcr.io": auth("me:a:b"), "https://localhost:5000/v2/": auth("you:pw") } });
    expect(await find("ghcr.io")).toEqual(basic("me", "a:b"));
    expect(await find("localhost:5000")).toEqual(basic("you", "pw"));
    for (const other of ["ghcr.io.example.com", "evil-ghcr.io", "io", "localhost", "localhost:5001"]) {
      expect(await find(other)).toBeUndefined();
    }
  });

  it.each(["https://index.docker.io/v1/", "docker.io", "index.docker.io"])(
    "for Docker Hub may be kept under %s",
    async (key) => {
      expect(await (await sourceOf({ auths: { [key]: auth("me:pw") } }))("docker.io")).toEqual(basic("me", "pw"));
    },
  );

  it("may be an identity token", async () => {
    const find = await sourceOf({ auths: { "acme.azurecr.io": { ...auth("0:"), identitytoken: "refresh" } } });
    expect(await find("acme.azurecr.io")).toEqual({ kind: "identity", token: "refresh" });
  });

  it("of a part of a registry are not for all of it", async () => {
    const find = await sourceOf({ auths: { "quay.io/team": auth("me:pw") } });
    for (const repository of [undefined, "teams", "other/team"]) {
      expect(await find("quay.io", repository)).toBeUndefined();
    }
    expect(await find("quay.io", "team/api")).toEqual(basic("me", "pw"));
  });

  it("of the closest part count", async () => {
    const find = await sourceOf({
      auths: { "quay.io": auth("all:pw"), "quay.io/team/api": auth("api:pw"), "quay.io/team": auth("team:pw") },
    });
    expect(await find("quay.io", "team/api")).toEqual(basic("api", "pw"));
    expect(await find("quay.io", "team/web/cache")).toEqual(basic("team", "pw"));
    expect(await find("quay.io", "other")).toEqual(basic("all", "pw"));
  });

  it("come from podman's file when REGISTRY_AUTH_FILE names it", async () => {
    const home = await temporaryFolder();
    const file = join(home, "auth.json");
    await writeFile(file, JSON.stringify({ auths: { "quay.io": auth("podman:pw") } }));
    await writeFile(join(home, "config.json"), JSON.stringify({ auths: { "quay.io": auth("docker:pw") } }));
    const env = { HOME: home, DOCKER_CONFIG: home };
    expect(await credentialSource({ ...env, REGISTRY_AUTH_FILE: file })("quay.io")).toEqual(basic("podman", "pw"));
    expect(await credentialSource(env)("quay.io")).toEqual(basic("docker", "pw"));
  });

  it("come from podman's own folder, and from ~/.docker after it", async () => {
    const home = await temporaryFolder();
    await mkdir(join(home, ".config/containers"), { recursive: true });
    await mkdir(join(home, ".docker"));
    await writeFile(join(home, ".config/containers/auth.json"), JSON.stringify({ auths: { a: auth("podman:pw") } }));
    await writeFile(
      join(home, ".docker/config.json"),
      JSON.stringify({ auths: { a: auth("docker:pw"), b: auth("docker:pw") } }),
    );
    const find = credentialSource({ HOME: home });
    expect([await find("a"), await find("b"), await find("c")]).toEqual([
      basic("podman", "pw"),
      basic("docker", "pw"),
      undefined,
    ]);
  });

  it("are asked of a helper, on stdin", async () => {
    const home = await temporaryFolder();
    const script = `#!/bin/sh
      read -r registry
      case "$1 $registry" in
        "get ghcr.io") echo '{"Username":"me","Secret":"kept"}';;
        "get https://index.docker.io/v1/") echo '{"Username":"<token>","Secret":"refresh"}';;
        "get broken.io") echo "secret-in-output"; exit 1;;
        *) echo "credentials not found in native keychain"; exit 1;;
      esac`;
    await writeFile(join(home, "docker-credential-keep"), script);
    await chmod(join(home, "docker-credential-keep"), 0o755);
    await writeFile(
      join(home, "config.json"),
      JSON.stringify({ credsStore: "keep", credHelpers: { "none.io": "missing" } }),
    );
    const find = credentialSource({ HOME: home, DOCKER_CONFIG: home, PATH: `${home}:${process.env["PATH"]}` });
    expect(await find("ghcr.io")).toEqual(basic("me", "kept"));
    expect(await find("docker.io")).toEqual({ kind: "identity", token: "refresh" });
    expect(await find("other.io")).toBeUndefined();
    await expect(find("broken.io")).rejects.toThrow(
      /^docker-credential-keep failed with exit code 1, broken\.io: run `docker-cred/,
    );
    await expect(find("none.io")).rejects.toThrow("docker-credential-missing is not installed");
  });

  it.each([
    ["{", /not valid JSON at line 1 column 2, .*config\.json: mend the file/],
    ['{"auths":{"ghcr.io":{"auth":5}}}', /auths\.ghcr\.io\.auth.*config\.json: mend the file/],
    [
      '{"auths":{"ghcr.io":{"auth":"bm9jb2xvbg=="}}}',
      /the entry for ghcr\.io is damaged, .*config\.json: log in again/,
    ],
    ['{"credsStore":"../evil"}', /"\.\.\/evil" is not the name of a credential helper/],
  ])("in a spoilt file are an error that names it: %s", async (text, message) => {
    const home = await temporaryFolder();
    await writeFile(join(home, "config.json"), text);
    await expect(credentialSource({ HOME: home, DOCKER_CONFIG: home })("ghcr.io")).rejects.toThrow(message);
  });
});

describe("credentials go", () => {
  it.each([
    ["https://ghcr.io/token", "https://ghcr.io", true],
    ["https://auth.docker.io/token", "https://registry-1.docker.io", true],
    ["https://gitlab.example.co.uk/jwt", "https://registry.example.co.uk", true],
    ["https://example.com/token", "https://registry.example.com", true],
    ["http://127.0.0.1:5001/token", "http://127.0.0.1:5000", true],
    ["http://ghcr.io/token", "https://ghcr.io", false],
    ["https://evil.example/token", "https://ghcr.io", false],
    ["https://ghcr.io.evil.example/token", "https://ghcr.io", false],
    ["https://evil.co.uk/token", "https://registry.co.uk", false],
    ["https://evil.azurecr.io/token", "https://acme.azurecr.io", false],
    ["https://10.0.0.2/token", "https://10.0.0.1", false],
    ["https://auth.example.com/token", "http://registry.example.com", false],
    ["http://localhost:5000/token", "http://127.0.0.1:5000", false],
  ])("to %s for %s: %s", (realm, registry, expected) => {
    expect(mayReceiveCredentials(new URL(realm), new URL(registry))).toBe(expected);
  });
});

describe("a challenge", () => {
  it.each([
    ['Basic realm="Registry, \\"quoted\\""', [{ scheme: "basic", parameters: { realm: 'Registry, "quoted"' } }]],
    [
      'Bearer realm="https://a/t",service=reg,scope="repository:a:pull,push repository:b:pull"',
      [
        {
          scheme: "bearer",
          parameters: { realm: "https://a/t", service: "reg", scope: "repository:a:pull,push repository:b:pull" },
        },
      ],
    ],
    [
      'Negotiate, BASIC Realm = "x" , Bearer realm="y"',
      [
        { scheme: "negotiate", parameters: {} },
        { scheme: "basic", parameters: { realm: "x" } },
        { scheme: "bearer", parameters: { realm: "y" } },
      ],
    ],
    ["", []],
    ['realm="alone"', []],
  ])("%s is read", (header, expected) => expect(parseChallenges(header)).toEqual(expected));
});

describe("a registry answers", () => {
  it.each([
    ["docker.io", undefined, "https://registry-1.docker.io"],
    ["ghcr.io", undefined, "https://ghcr.io"],
    ["localhost:5000", undefined, "http://localhost:5000"],
    ["127.0.0.1:5000", undefined, "http://127.0.0.1:5000"],
    ["[::1]:5000", undefined, "http://[::1]:5000"],
    ["localhost.example.com", undefined, "https://localhost.example.com"],
    ["localhost:5000", false, "https://localhost:5000"],
    ["registry.lan:5000", true, "http://registry.lan:5000"],
  ])("%s (plain http: %s) at %s", (registry, plainHttp, origin) => {
    expect(endpointOf(registry, plainHttp).origin).toBe(origin);
  });

  it("under no name that hides another", () => {
    expect(() => endpointOf("ghcr.io@evil.example")).toThrow("is not a registry");
    expect(() => endpointOf("ghcr.io/path")).toThrow("is not a registry");
  });
});
