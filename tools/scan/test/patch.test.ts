// Patches, whole: a workspace of two images on a Debian archive and a registry of their own, real builds, the real command line.

import { spawn } from "node:child_process";
import { parseDocument, run } from "@waybill/oci";
import { RegistryClient } from "@waybill/oci/registry";
import { type RunningRegistry, startRegistry } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Workspace } from "../../image/test/support/workspace.ts";
import { type Deb, TestArchive, urlPath } from "../../lock/test/archive.ts";
import type { PatchReport } from "../src/index.ts";
import { debian } from "./advisories.ts";
import { type OsvServer, startOsv } from "./osv-server.ts";

const OS_RELEASE = 'ID=debian\nVERSION_ID="13"\n';

const manifest = (name: string, version: string, dependencies: object = {}): object => ({
  name: `@test/${name}`,
  version,
  private: true,
  dependencies,
});

describe("a patch", { timeout: 180_000 }, () => {
  let workspace: Workspace;
  let archive: TestArchive;
  let registry: RunningRegistry;
  let osv: OsvServer;
  const advisories: object[] = [];
  let first: Deb[] = [];

  const deb = (name: string, version: string, source: string, security = false): Promise<Deb> =>
    archive.deb(name, version, { fields: { Source: source }, record: true, security });

  beforeAll(async () => {
    [archive, registry, osv] = await Promise.all([TestArchive.start(), startRegistry(), startOsv(advisories)]);
    first = [
      await deb("libssl", "3.5-1", "openssl"),
      await deb("openssl", "3.5-1", "openssl"),
      await deb("libc", "2.41-1", "glibc"),
      await deb("tool", "1.0-1", "tool"),
    ];
    await archive.publishTrixie(first);
    workspace = await Workspace.create({
      "package.json": { name: "throw-away", private: true, type: "module", workspaces: ["images/*"] },
      "images/base/Dockerfile": "FROM scratch\nCOPY os-release /etc/os-release\nCOPY --from=unpacked-main / /\n",
      "images/base/.dockerignore": "*\n!os-release\n",
      "images/base/os-release": OS_RELEASE,
      "images/base/package.json": manifest("base", "0.3.0"),
      "images/base/project.json": {
        name: "base",
        metadata: {
          image: { packages: { main: { debian: ["libssl", "openssl", "libc", "tool"], dependencies: false } } },
        },
      },
      "images/app/Dockerfile": "FROM waybill/base\nCOPY file /ours\nUSER 65532\n",
      "images/app/.dockerignore": "*\n!file\n",
      "images/app/file": "ours\n",
      "images/app/package.json": manifest("app", "1.4.2", { "@test/base": "0.3.0" }),
      "images/app/project.json": { name: "app", metadata: { image: { repository: "apps/app" } } },
    });
    await succeed("lock", "base");
    for (const name of ["base", "app"]) await succeed("build", name);
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "locked");
  });
  afterAll(async () => {
    osv.stop();
    await Promise.all([archive.stop(), registry.stop(), workspace.remove()]);
  });

  async function git(...args: string[]): Promise<void> {
    const who = ["-c", "user.name=Test", "-c", "user.email=test@example.test"];
    await run("git", [...who, ...args], { cwd: workspace.folder, check: true });
  }

  function environment(): Record<string, string | undefined> {
    const { archive: main, security, snapshot, keyring } = archive.sources();
    return {
      WAYBILL_DEBIAN_MIRROR: main,
      WAYBILL_DEBIAN_SECURITY_MIRROR: security,
      WAYBILL_DEBIAN_SNAPSHOT: snapshot,
      WAYBILL_DEBIAN_KEYRING: keyring,
      WAYBILL_OSV_URL: osv.url,
    };
  }

  async function succeed(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await workspace.waybillWith({ env: environment() }, ...args);
    if (exitCode !== 0) throw new Error(`${args.join(" ")}: exit code ${exitCode}\n${stdout}${stderr}`);
    return stdout;
  }

  /** @returns the report on the one image */
  async function patch(...args: string[]): Promise<PatchReport> {
    const target = ["--push", "--registry", `${registry.host}/team`, "--suffix", "acme"];
    const [report, ...more] = JSON.parse(await succeed("patch", "app", "--json", ...target, ...args)) as PatchReport[];
    expect(more).toEqual([]);
    return report as PatchReport;
  }

  const lock = (): Promise<string> => workspace.read("images/base/image.lock.json");
  const tags = async (): Promise<string[]> =>
    (await new RegistryClient(registry.host).listTags("team/apps/app").catch((): string[] => [])).toSorted();

  /** As CI finds the checkout in its next run: the locks that are committed, and what they give. */
  async function checkOut(): Promise<void> {
    await git("checkout", "--quiet", "--", ".");
    for (const name of ["base", "app"]) await succeed("build", name);
  }

  const fix = (version: string, more: readonly Deb[] = []): Promise<void> =>
    Promise.all([deb("libssl", version, "openssl", true), deb("openssl", version, "openssl", true)]).then((debs) =>
      archive.publishTrixie(first, [...debs, ...more]),
    );

  test("where nothing can be mended changes nothing, pushes nothing and says so", async () => {
    advisories.push(debian("CVE-2026-2001", "glibc", [{ introduced: "0" }]));
    const [before, record] = [await lock(), await workspace.read("images/app/dist/image.json")];
    const told = await succeed("patch", "app", "--push", "--registry", `${registry.host}/team`);
    expect(told).toMatch(/^app {2}nothing that can be mended; 1 vulnerability remain/);
    expect(told).toContain("CVE-2026-2001  high 7.5  libc 2.41-1 of glibc  no fix yet");
    expect([await lock(), await workspace.read("images/app/dist/image.json")]).toEqual([before, record]);
    expect(await tags()).toEqual([]);
  });

  test("moves what has a fix in the base that has the pin, and ships the image as version-suffix.1", async () => {
    advisories.push(debian("CVE-2026-2002", "openssl", [{ introduced: "0" }, { fixed: "3.5-1+deb13u1" }]));
    // A newer version that mends nothing stays where it is.
    await archive.publishTrixie([...first, await deb("tool", "2.0-1", "tool")]);
    await fix("3.5-1+deb13u1");
    const before = await workspace.record("app");
    const dry = await patch("--dry-run");
    expect([dry.moves.map(({ name }) => name), dry.from === dry.to, await tags()]).toEqual([
      ["libssl", "openssl"],
      true,
      [],
    ]);
    const report = await patch();
    expect(report.moves).toEqual([
      { image: "base", name: "libssl", archs: ["amd64"], from: "3.5-1", to: "3.5-1+deb13u1", mends: ["CVE-2026-2002"] },
      {
        image: "base",
        name: "openssl",
        archs: ["amd64"],
        from: "3.5-1",
        to: "3.5-1+deb13u1",
        mends: ["CVE-2026-2002"],
      },
    ]);
    expect(report.fixed.map(({ id, package: name }) => [id, name])).toEqual([
      ["CVE-2026-2002", "libssl"],
      ["CVE-2026-2002", "openssl"],
    ]);
    expect([report.remaining.map(({ id }) => id), report.added]).toEqual([["CVE-2026-2001"], []]);
    expect(report.push).toMatchObject({ action: "push", repository: "team/apps/app", tags: ["1.4.2-acme.1"] });

    const after = await workspace.record("app");
    expect([report.from, report.to]).toEqual([before.digest, after.digest]);
    expect((await lock()).match(/"(libssl|openssl|libc|tool)", "version": "[^"]*"/g)).toEqual([
      '"libc", "version": "2.41-1"',
      '"libssl", "version": "3.5-1+deb13u1"',
      '"openssl", "version": "3.5-1+deb13u1"',
      '"tool", "version": "1.0-1"',
    ]);
    const pushed = await new RegistryClient(registry.host).getManifest("team/apps/app", "1.4.2-acme.1");
    const document = parseDocument(pushed?.bytes ?? Buffer.from("{}"), "pushed");
    if (document.kind !== "index") throw new Error("no index");
    expect(document.index.manifests.map(({ digest }) => digest)).toEqual(after.platforms.map(({ digest }) => digest));
    expect(JSON.parse(pushed?.bytes.toString() ?? "")).toMatchObject({
      annotations: {
        "org.opencontainers.image.version": "1.4.2-acme.1",
        "dev.waybill.patch.fixed": '["CVE-2026-2002","libssl@3.5-1+deb13u1","openssl@3.5-1+deb13u1"]',
      },
    });
  });

  test("again from the same commit mends the same: no other tag", async () => {
    await checkOut();
    const report = await patch();
    expect(report.push).toMatchObject({ action: "keep", tags: ["1.4.2-acme.1"] });
    expect(await tags()).toEqual(["1.4.2-acme.1"]);
  });

  test("of what is patched already finds nothing to do", async () => {
    const report = await patch();
    expect([report.from === report.to, report.push]).toEqual([true, undefined]);
  });

  test("that mends more takes the next number, by Debian's archive alone too", async () => {
    await checkOut();
    // No advisory knows of it: Debian's security archive has a newer libc, and that is its own word.
    await fix("3.5-1+deb13u1", [await deb("libc", "2.41-1+deb13u1", "glibc", true)]);
    const { WAYBILL_OSV_URL: _, ...rest } = environment();
    const run = ["patch", "app", "--push", "--registry", `${registry.host}/team`, "--suffix", "acme", "--markdown"];
    const { stdout, exitCode } = await workspace.waybillWith({ env: { ...rest, WAYBILL_OSV_URL: "off" } }, ...run);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("| base | `libc` | `2.41-1` | `2.41-1+deb13u1` | Debian's security archive has it |");
    expect(stdout).toContain("team/apps/app:1.4.2-acme.2");
    expect(await tags()).toEqual(["1.4.2-acme.1", "1.4.2-acme.2"]);
  });

  test("that can't be built leaves locks and records as they were", async () => {
    await checkOut();
    const files = ["images/base/image.lock.json", "images/base/dist/image.json", "images/app/dist/image.json"];
    const before = await Promise.all(files.map((file) => workspace.read(file)));
    const broken = await deb("libc", "2.41-1+deb13u2", "glibc", true);
    await fix("3.5-1+deb13u1", [broken]);
    archive.drop(broken);
    const { exitCode, stderr } = await workspace.waybillWith({ env: environment() }, "patch", "app");
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("nothing was patched")]);
    expect(await Promise.all(files.map((file) => workspace.read(file)))).toEqual(before);
  });

  test.each([1, 2])("that is interrupted leaves them so too, by %i times Ctrl-C", async (times) => {
    const before = await lock();
    const slow = await deb("libc", `2.41-1+deb13u${2 + times}`, "glibc", true);
    await fix("3.5-1+deb13u1", [slow]);
    const asked = Promise.withResolvers<void>();
    // Asked for when the locks have moved: then nothing comes.
    archive.faults.set(urlPath(slow), () => asked.resolve());
    const child = spawn(process.execPath, ["tools/cli/src/waybill.ts", "patch", "app"], {
      cwd: workspace.folder,
      env: { ...process.env, ...workspace.environment(), ...environment() },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    await asked.promise;
    expect(await lock()).not.toBe(before);
    for (let time = 0; time < times; time++) child.kill(time === 0 ? "SIGINT" : "SIGTERM");
    expect(await ended).toBe(2);
    expect(await lock()).toBe(before);
    archive.faults.clear();
  });
});
