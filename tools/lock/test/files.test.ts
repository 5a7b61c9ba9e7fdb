import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { checkLock } from "../src/check.ts";
import { fetchFiles } from "../src/fetch-files.ts";
import { bestWheel } from "../src/files/wheels.ts";
import { refreshLock } from "../src/refresh.ts";
import type { LockedFile } from "../src/schema.ts";
import { imageFolder, temporaryFolder } from "./archive.ts";

/** What the local registry serves, by path; a function makes it when the address is known. */
let served: Map<string, { type: string; body: Buffer | string }>;
let url: string;

beforeEach(async () => {
  served = new Map();
  const server = createServer((request, response) => {
    const found = served.get(decodeURIComponent(request.url ?? ""));
    if (found === undefined) return void response.writeHead(404).end("{}");
    response.writeHead(200, { "content-type": found.type }).end(found.body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv("npm_config_registry", `${url}/npm/`);
  vi.stubEnv("npm_config_cache", await temporaryFolder(onTestFinished));
  vi.stubEnv("npm_config_fetch_retries", "0");
  vi.stubEnv("PIP_INDEX_URL", `${url}/simple/`);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
});

/** Puts a package with these versions into the npm registry; each tarball's bytes are its version. */
function serveNpm(name: string, versions: readonly string[], fields: object = {}): void {
  const documents = versions.map((version) => {
    const path = `/npm/${name}/-/${name.split("/").at(-1)}-${version}.tgz`;
    const body = Buffer.from(`tarball ${name} ${version}`);
    served.set(path, { type: "application/octet-stream", body });
    const integrity = `sha512-${createHash("sha512").update(body).digest("base64")}`;
    return [version, { name, version, ...fields, dist: { tarball: url + path, integrity } }] as const;
  });
  const body = JSON.stringify({
    name,
    "dist-tags": { latest: versions.at(-1) },
    versions: Object.fromEntries(documents),
  });
  served.set(`/npm/${name}`, { type: "application/json", body });
}

function servePypi(name: string, files: readonly string[], form: "json" | "html"): void {
  const entries = files.map((file) => {
    const sha256 = createHash("sha256").update(file).digest("hex");
    served.set(`/files/${file}`, { type: "application/octet-stream", body: file });
    return { filename: file, url: `../../files/${file}`, hashes: { sha256 }, yanked: file.includes("-3.0-") };
  });
  const anchors = entries.map(
    (one) =>
      `<a href="${one.url}#sha256=${one.hashes.sha256}"${one.yanked ? ' data-yanked=""' : ""}>${one.filename}</a><br/>`,
  );
  const json = { type: "application/vnd.pypi.simple.v1+json", body: JSON.stringify({ files: entries }) };
  served.set(`/simple/${name}/`, form === "json" ? json : { type: "text/html", body: anchors.join("\n") });
}

async function locked(requests: string[], platforms = ["linux/amd64", "linux/arm64"]): Promise<LockedFile[]> {
  const folder = await imageFolder(await temporaryFolder(onTestFinished), "images/x", {
    platforms,
    files: { f: requests },
  });
  const { after } = await refreshLock(folder);
  expect(await checkLock(folder)).toEqual([]);
  return after.files.f ?? [];
}

describe("npm", () => {
  test("pins the newest of a series, not a pre-release, with its platform", async () => {
    serveNpm("tool-linux-x64", ["24.2.0", "24.10.0", "24.11.0-rc.1", "25.0.0"], { os: ["linux"], cpu: ["x64"] });
    expect(await locked(["npm:tool-linux-x64@24"])).toMatchObject([
      { name: "tool-linux-x64", version: "24.10.0", file: "tool-linux-x64-24.10.0.tgz", platform: "linux/amd64" },
    ]);
  });

  test("gives the tarballs of one platform as a folder", async () => {
    serveNpm("tool-x64", ["1.0.0"], { cpu: ["x64"] });
    serveNpm("tool-arm64", ["1.0.0"], { cpu: ["arm64"] });
    serveNpm("@scope/any", ["2.0.0"]);
    const set = await locked(["npm:tool-x64@1.0.0", "npm:tool-arm64@1", "npm:@scope/any@2.0"]);
    const { folder } = await fetchFiles(set, "linux/arm64", { cacheDir: await temporaryFolder(onTestFinished) });
    expect((await readdir(folder)).sort()).toEqual(["scope-any-2.0.0.tgz", "tool-arm64-1.0.0.tgz"]);
    expect(await readFile(join(folder, "scope-any-2.0.0.tgz"), "utf8")).toBe("tarball @scope/any 2.0.0");
  });

  test("refuses a tarball that isn't the locked one, and leaves nothing", async () => {
    serveNpm("tool", ["1.0.0"]);
    const set = await locked(["npm:tool@1.0.0"]);
    serveNpm("tool", ["1.0.0"], { description: "republished" });
    const forged = Buffer.from("evil");
    const integrity = `sha512-${createHash("sha512").update(forged).digest("base64")}`;
    const dist = { tarball: `${url}/npm/tool/-/tool-1.0.0.tgz`, integrity };
    const versions = { "1.0.0": { name: "tool", version: "1.0.0", dist } };
    served.set("/npm/tool", {
      type: "application/json",
      body: JSON.stringify({ name: "tool", "dist-tags": {}, versions }),
    });
    served.set("/npm/tool/-/tool-1.0.0.tgz", { type: "application/octet-stream", body: forged });
    const cacheDir = await temporaryFolder(onTestFinished);
    await expect(fetchFiles(set, "linux/amd64", { cacheDir })).rejects.toThrow(/wrong bytes: npm's tool@1.0.0/);
    expect((await readdir(cacheDir, { recursive: true, withFileTypes: true })).filter((one) => one.isFile())).toEqual(
      [],
    );
  });

  test("tells of a package or version that isn't there", async () => {
    serveNpm("tool", ["1.0.0"]);
    await expect(locked(["npm:tool@7"])).rejects.toThrow(/npm has no tool@7/);
    await expect(locked(["npm:none@1.0.0"])).rejects.toThrow(/npm has no none@1.0.0 \(E404\)/);
  });
});

describe("PyPI", () => {
  const files = [
    "my_tool-1.9.0-py3-none-any.whl",
    "my_tool-1.10.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "my_tool-1.10.0-py3-none-manylinux_2_28_aarch64.whl",
    "my_tool-1.10.0-py3-none-win_amd64.whl",
    "my_tool-1.10.0.tar.gz",
    "my_tool-1.11.0rc1-py3-none-any.whl",
    "my_tool-3.0-py3-none-any.whl",
  ];

  test.each(["json", "html"] as const)(
    "pins a wheel for each platform through the %s index, and fetches it",
    async (form) => {
      servePypi("my-tool", files, form);
      const set = await locked(["pypi:my_tool@1"]);
      expect(set.map(({ version, platform }) => [version, platform])).toEqual([
        ["1.10.0", "linux/amd64"],
        ["1.10.0", "linux/arm64"],
      ]);
      const { folder } = await fetchFiles(set, "linux/amd64", { cacheDir: await temporaryFolder(onTestFinished) });
      expect(await readdir(folder)).toEqual(["my_tool-1.10.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"]);
    },
  );

  test("pins one wheel where it serves all platforms", async () => {
    servePypi("my-tool", files, "json");
    expect(await locked(["pypi:my_tool@1.9.0"])).toMatchObject([{ file: "my_tool-1.9.0-py3-none-any.whl" }]);
  });

  test("refuses a file with other bytes, and one the index gives another hash for", async () => {
    servePypi("my-tool", files, "json");
    const set = await locked(["pypi:my_tool@1.9.0"]);
    const cacheDir = await temporaryFolder(onTestFinished);
    served.set(`/files/${files[0]}`, { type: "application/octet-stream", body: "evil" });
    await expect(fetchFiles(set, "linux/amd64", { cacheDir })).rejects.toThrow(/wrong bytes/);
    served.set("/simple/my-tool/", { type: "text/html", body: "" });
    await expect(fetchFiles(set, "linux/amd64", { cacheDir })).rejects.toThrow(
      /PyPI has no my_tool-1.9.0-py3-none-any.whl/,
    );
  });

  test("tells of a yanked or absent release", async () => {
    servePypi("my-tool", files, "html");
    await expect(locked(["pypi:my_tool@3.0"])).rejects.toThrow(/no wheel of my_tool@3.0 for linux\/amd64/);
    await expect(locked(["pypi:none@3.0"])).rejects.toThrow(/PyPI answered 404 for none/);
  });
});

test("the wheel made for this Python is taken before those for all", () => {
  const files = [
    "n-1.0-py3-none-any.whl",
    "n-1.0-cp313-cp313-manylinux_2_17_x86_64.whl",
    "n-1.0-cp313-cp313t-manylinux_2_17_x86_64.whl",
    "n-1.0-cp314-cp314-manylinux_2_17_x86_64.whl",
    "n-1.0-cp39-abi3-manylinux_2_17_x86_64.whl",
    "n-1.0-cp313-cp313-musllinux_1_2_x86_64.whl",
  ];
  expect(bestWheel(files, "linux/amd64")).toEqual({ file: files[1], anyPlatform: false });
  expect(bestWheel(files, "linux/arm64")).toEqual({ file: files[0], anyPlatform: true });
});
