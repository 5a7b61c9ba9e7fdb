import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { WaybillError } from "@waybill/oci";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { fetchPackages } from "../src/fetch-packages.ts";
import type { PackageFetchOptions } from "../src/fetch-packages.ts";
import type { PackageSet } from "../src/schema.ts";
import { TestArchive, pinOf, serveRange, temporaryFolder, urlPath } from "./archive.ts";
import type { Deb } from "./archive.ts";

let archive: TestArchive;
beforeAll(async () => {
  archive = await TestArchive.start();
  vi.stubEnv("TMPDIR", archive.folder); // vitest ends its workers before apt's folder can be removed
});
afterAll(() => archive.stop());

type Given = Omit<PackageFetchOptions, "cacheDir"> & { cacheDir: string };

async function options(more: Omit<PackageFetchOptions, "cacheDir"> = {}): Promise<Given> {
  const cacheDir = await temporaryFolder(onTestFinished);
  return { cacheDir, sources: archive.sources(), retryDelayMs: 1, where: "images/x/image.lock.json", ...more };
}

function setOf(...debs: Deb[]): PackageSet {
  return { suite: "trixie", amd64: debs.map(pinOf) };
}

/** Every file below the cache, to show that nothing half written is left. */
async function filesIn(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

describe("packages that the archive has as pinned", () => {
  test("become a flat folder of plain files under their Debian names", async () => {
    const one = await archive.deb("plain", "1:2.0+deb13u1-1");
    const two = await archive.deb("secure", "3.0", { security: true, arch: "all" });
    const given = await options();
    const { folder, drift } = await fetchPackages(setOf(one, two), "amd64", given);
    expect(drift).toEqual([]);
    expect((await readdir(folder)).sort()).toEqual(["plain_1%3a2.0+deb13u1-1_amd64.deb", "secure_3.0_all.deb"]);
    expect(await readFile(join(folder, "secure_3.0_all.deb"))).toEqual(two.bytes);
    expect((await stat(join(folder, "secure_3.0_all.deb"))).mtimeMs).toBe(0);
    expect(archive.requests).toContain("/debian-security/pool/updates/main/s/secure/secure_3.0_all.deb");
  });

  test("are asked for once, also by two images at the same time", async () => {
    const deb = await archive.deb("shared", "1.0");
    const given = await options();
    const [a, b] = await Promise.all([
      fetchPackages(setOf(deb), "amd64", given),
      fetchPackages(setOf(deb), "amd64", given),
    ]);
    expect(a.folder).toBe(b.folder);
    await fetchPackages(setOf(deb), "amd64", { ...given, sources: archive.sources({ archive: "http://127.0.0.1:1" }) });
    expect(archive.requests.filter((path) => path === urlPath(deb))).toHaveLength(1);
  });

  test("cost next to nothing the second time", async () => {
    const deb = await archive.deb("quick", "1.0");
    const pins = Array.from({ length: 100 }, (_, index) => ({ ...pinOf(deb), name: `quick${index}` }));
    const given = await options();
    const set = { suite: "trixie", amd64: pins };
    await fetchPackages(set, "amd64", given);
    const start = performance.now();
    await fetchPackages(set, "amd64", given);
    expect(performance.now() - start).toBeLessThan(10);
  });

  test("of an architecture the lock lacks are an error with its mend", async () => {
    const asked = fetchPackages(setOf(await archive.deb("plain", "1.0")), "arm64", await options());
    await expect(asked).rejects.toThrow(/isn't locked for arm64, images\/x\/image.lock.json: run `waybill lock`/);
  });
});

describe("a pinned version that left the archive", () => {
  test("comes from the snapshot archive", async () => {
    const deb = await archive.deb("old", "1.0");
    archive.drop(deb, { snapshot: true });
    const { folder, drift } = await fetchPackages(setOf(deb), "amd64", await options({ frozen: true }));
    expect(drift).toEqual([]);
    expect(await readFile(join(folder, "old_1.0_amd64.deb"))).toEqual(deb.bytes);
  });

  test("and the snapshot archive too is replaced by the newest of the suite, and named", async () => {
    const [kept, old] = [await archive.deb("kept", "1.0"), await archive.deb("moving", "1.0-1")];
    archive.drop(old);
    await archive.publishTrixie(
      [kept, await archive.deb("moving", "1.0-2")],
      [await archive.deb("moving", "1.0-3", { security: true })],
    );
    const lines: string[] = [];
    const given = await options({ onProgress: (line) => lines.push(line) });
    const { folder, drift } = await fetchPackages(setOf(kept, old), "amd64", given);
    expect(drift).toEqual([{ name: "moving", locked: "1.0-1", used: "1.0-3" }]);
    expect((await readdir(folder)).sort()).toEqual(["kept_1.0_amd64.deb", "moving_1.0-3_amd64.deb"]);
    expect(lines.filter((line) => line.startsWith("drift:"))).toEqual([
      expect.stringContaining("moving 1.0-1 is gone from Debian's archives, used 1.0-3"),
    ]);
  });

  test("stops a frozen build, which names every such package and the mend", async () => {
    const gone = [await archive.deb("gone-a", "1.0"), await archive.deb("gone-b", "2:3.0")];
    for (const deb of gone) archive.drop(deb);
    const asked = fetchPackages(setOf(...gone), "amd64", await options({ frozen: true }));
    await expect(asked).rejects.toThrow(WaybillError);
    await expect(asked).rejects.toThrow(/gone-a 1.0, gone-b 2:3.0, images\/x\/image.lock.json: run `waybill lock`/);
  });

  test("is replaced when the snapshot archive fails in the middle, and refused when it serves other bytes", async () => {
    const own = await TestArchive.start(); // indexes are read once a run
    onTestFinished(() => own.stop());
    const given = async () => await options({ sources: own.sources() });
    const old = await own.deb("shaky", "1.0");
    own.drop(old, { snapshot: true });
    await own.publishTrixie([await own.deb("shaky", "2.0")]);
    const file = `/snapshot/file/${createHash("sha1").update(old.bytes).digest("hex")}`;
    own.faults.set(file, (_, response) => response.destroy());
    const { drift } = await fetchPackages(setOf(old), "amd64", await given());
    expect(drift).toEqual([{ name: "shaky", locked: "1.0", used: "2.0" }]);
    own.faults.set(file, (_, response) => response.end(Buffer.alloc(old.size)));
    await expect(fetchPackages(setOf(old), "amd64", await given())).rejects.toThrow(/wrong bytes.*snapshot/);
  });

  test("with no successor in the suite is told, with the mend", async () => {
    const old = await archive.deb("renamed", "1.0");
    archive.drop(old);
    await archive.publishTrixie([]);
    const asked = fetchPackages(setOf(old), "amd64", await options());
    await expect(asked).rejects.toThrow(/gone \(renamed 1.0\) and the newest can't be had: .*: run `waybill lock`/);
  });

  test("is not replaced through an index that another key signed", async () => {
    const forger = await TestArchive.start();
    onTestFinished(() => forger.stop());
    const deb = await forger.deb("forged", "1.0");
    forger.drop(deb);
    await forger.publishTrixie([await forger.deb("forged", "2.0")]);
    const sources = forger.sources({ keyring: archive.sources().keyring });
    const asked = fetchPackages(setOf(deb), "amd64", await options({ sources }));
    await expect(asked).rejects.toThrow(/could not read the indexes of Debian trixie.*(signature|NO_PUBKEY)/i);
  });

  test("is looked for no longer than three seconds where the snapshot archive can't be reached", async () => {
    const deb = await archive.deb("lonely", "1.0");
    archive.drop(deb);
    const sources = archive.sources({ snapshot: "http://127.0.0.1:1" });
    const start = performance.now();
    await expect(fetchPackages(setOf(deb), "amd64", await options({ sources, frozen: true }))).rejects.toThrow(
      /lonely 1.0 \(127.0.0.1:1, which may have them, can't be reached\)/,
    );
    expect(performance.now() - start).toBeLessThan(3_500);
  });
});

describe("an archive that misbehaves", () => {
  test("serving other bytes of the same length is refused, and leaves nothing", async () => {
    const deb = await archive.deb("evil", "1.0");
    archive.faults.set(urlPath(deb), (_, response) => response.end(Buffer.alloc(deb.size, 1)));
    const given = await options();
    await expect(fetchPackages(setOf(deb), "amd64", given)).rejects.toThrow(
      /wrong bytes: got sha256 .* the lock has sha256/,
    );
    expect(await filesIn(given.cacheDir)).toEqual([]);
  });

  test("serving more than the pinned size is cut off", async () => {
    const deb = await archive.deb("endless", "1.0");
    archive.faults.set(urlPath(deb), (_, response) => response.end(Buffer.concat([deb.bytes, Buffer.alloc(10)])));
    await expect(fetchPackages(setOf(deb), "amd64", await options())).rejects.toThrow(
      /wrong bytes: got more than \d+ bytes/,
    );
  });

  test("dropping the connection half-way is resumed where it broke", async () => {
    const deb = await archive.deb("torn", "1.0", { payload: 300_000 });
    const given = await options();
    const ranges: (string | undefined)[] = [];
    archive.faults.set(urlPath(deb), (request, response) => {
      ranges.push(request.headers.range);
      if (ranges.length > 1) return serveRange(deb.bytes, request, response);
      response.writeHead(200, { "content-length": deb.size }).write(deb.bytes.subarray(0, 100_000));
      // What a client hasn't taken from its socket when the connection breaks is lost to it.
      void vi.waitUntil(async () => (await bytesIn(given.cacheDir)) > 0, 5_000).then(() => response.destroy());
    });
    const { folder } = await fetchPackages(setOf(deb), "amd64", given);
    expect(await readFile(join(folder, "torn_1.0_amd64.deb"))).toEqual(deb.bytes);
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
  });

  test("serving a short file under a short length is refused", async () => {
    const deb = await archive.deb("short", "1.0");
    archive.faults.set(urlPath(deb), (_, response) =>
      response.writeHead(200, { "content-length": 10 }).end(deb.bytes.subarray(0, 10)),
    );
    const given = await options();
    await expect(fetchPackages(setOf(deb), "amd64", given)).rejects.toThrow(/ended after 10 of \d+ bytes/);
    expect(await filesIn(given.cacheDir)).toEqual([]);
  });

  test("answering 503 for a while is asked again", async () => {
    const deb = await archive.deb("busy", "1.0");
    let answers = 0;
    archive.faults.set(urlPath(deb), (request, response) => {
      if (answers++ < 2) return void response.writeHead(503).end();
      serveRange(deb.bytes, request, response);
    });
    expect((await fetchPackages(setOf(deb), "amd64", await options())).drift).toEqual([]);
  });

  test("refusing connections is an error, not drift", async () => {
    const deb = await archive.deb("closed", "1.0");
    const sources = archive.sources({ archive: `http://127.0.0.1:${await unusedPort()}/debian` });
    await expect(fetchPackages(setOf(deb), "amd64", await options({ sources }))).rejects.toThrow(/ECONNREFUSED/);
  });
});

test("a cache that can't be written is told with its mend, and isn't taken for a fault of the network", async () => {
  const deb = await archive.deb("nowhere", "1.0");
  const cacheDir = join((await options()).cacheDir, "file");
  await writeFile(cacheDir, "");
  await expect(fetchPackages(setOf(deb), "amd64", { ...(await options()), cacheDir })).rejects.toThrow(
    /the download cache can't be written, a part of the path is not a folder, .*: .*WAYBILL_CACHE/,
  );
  expect(archive.requests).not.toContain(urlPath(deb));
});

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

test("an aborted fetch leaves nothing half written, and the next one completes", async () => {
  const [first, hanging] = [
    await archive.deb("first", "1.0"),
    await archive.deb("hanging", "1.0", { payload: 200_000 }),
  ];
  const abort = new AbortController();
  archive.faults.set(urlPath(hanging), (_, response) => {
    response.writeHead(200, { "content-length": hanging.size });
    response.write(hanging.bytes.subarray(0, 100_000), () => abort.abort(new Error("Ctrl-C")));
  });
  const given = await options();
  const set = setOf(first, hanging);
  await expect(fetchPackages(set, "amd64", { ...given, signal: abort.signal })).rejects.toThrow("Ctrl-C");
  expect((await filesIn(given.cacheDir)).filter((name) => name !== first.sha256)).toEqual([]);
  archive.faults.clear();
  expect(await readdir((await fetchPackages(set, "amd64", given)).folder)).toHaveLength(2);
});

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
