import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { formatChanges } from "../src/changes.ts";
import { checkLock } from "../src/check.ts";
import { dpkgStatus } from "../src/debian/status.ts";
import { refreshLock } from "../src/refresh.ts";
import type { RefreshOptions } from "../src/refresh.ts";
import type { DebianPackage } from "../src/schema.ts";
import { TestArchive, imageFolder, temporaryFolder } from "./archive.ts";

let archive: TestArchive;
beforeAll(async () => {
  archive = await TestArchive.start();
  vi.stubEnv("TMPDIR", archive.folder); // vitest ends its workers before apt's folder can be removed
  await publishSmallDebian(archive);
});
afterAll(() => archive.stop());

/** An essential shell, a library in both architectures, a program that needs them, and a newer library in backports. */
async function publishSmallDebian(on: TestArchive): Promise<void> {
  const essential = { fields: { Essential: "yes", Priority: "required" } };
  const main = [];
  for (const arch of ["amd64", "arm64"]) {
    main.push(
      await on.deb("shell", "1:5.2-1", {
        ...essential,
        arch,
        fields: { ...essential.fields, "Pre-Depends": "libbase" },
      }),
      await on.deb("libbase", "2.0-1", { arch }),
      await on.deb("program", "1.0-1", {
        arch,
        fields: { Depends: "libbase (>= 2.0), data, virtual-thing", Recommends: "extras" },
      }),
    );
  }
  main.push(await on.deb("data", "2026a-1", { arch: "all" }), await on.deb("extras", "1.0", { arch: "all" }));
  main.push(await on.deb("provider", "1.0", { arch: "all", fields: { Provides: "virtual-thing" } }));
  main.push(await on.deb("needs-new", "1.0", { fields: { Depends: "libbase (>= 3.0)" } }));
  await on.publishTrixie(main, [await on.deb("data", "2026b-1", { arch: "all", security: true })]);
  await on.publish("trixie-backports", [
    await on.deb("program", "2.0-1~bpo13+1"),
    await on.deb("data", "9.0", { arch: "all" }),
  ]);
}

function refresh(folder: string, more: RefreshOptions = {}): ReturnType<typeof refreshLock> {
  return refreshLock(folder, { sources: archive.sources(), ...more });
}

function pinned(list: readonly DebianPackage[] | undefined): string[] {
  return (list ?? []).map(({ name, version, arch }) => `${name} ${version} ${arch}`);
}

/** Refreshes an image with one set "s" of these members and gives what is pinned. */
async function solved(set: object, root?: string): Promise<string[]> {
  const folder = await imageFolder(root ?? (await temporaryFolder(onTestFinished)), "images/x", {
    packages: { s: set },
  });
  return pinned((await refresh(folder)).after.packages.s?.amd64);
}

describe("Debian packages", () => {
  test("come with their dependencies, the newest of all suites, and without recommendations", async () => {
    expect(await solved({ debian: ["program"] })).toEqual([
      "data 2026b-1 all",
      "libbase 2.0-1 amd64",
      "program 1.0-1 amd64",
      "provider 1.0 all",
    ]);
  });

  test("are exactly those named where dependencies are off", async () => {
    expect(await solved({ debian: ["program", "data"], dependencies: false })).toEqual([
      "data 2026b-1 all",
      "program 1.0-1 amd64",
    ]);
  });

  test("come from another suite only where they ask for it", async () => {
    expect(await solved({ debian: ["program/trixie-backports"] })).toEqual(["program 2.0-1~bpo13+1 amd64"]);
    expect(await solved({ debian: ["program/trixie-backports", "data"] })).toContain("data 2026b-1 all");
  });

  test("include the essential ones with what they need before them", async () => {
    expect(await solved({ debian: ["data"], essential: true })).toEqual([
      "data 2026b-1 all",
      "libbase 2.0-1 amd64",
      "shell 1:5.2-1 amd64",
    ]);
  });

  test("leave out dependencies that are declared unwanted", async () => {
    expect(await solved({ debian: ["program"], without: ["data", "provider"] })).toEqual([
      "libbase 2.0-1 amd64",
      "program 1.0-1 amd64",
    ]);
  });

  // Debian's own jq wants libjq1 in one version, and apt took that anew, with its libonig5, until it was on hold.
  test("leave out unwanted ones whatever apt thinks of the stanza that stands for them", async () => {
    const stanza = "Package: libjq1\nArchitecture: amd64\nVersion: 1.7.1-6\nDepends: libonig5\n";
    const status = await dpkgStatus({ stanzas: () => Promise.resolve([stanza]) }, [], ["libjq1"]);
    expect(status).toBe("Package: libjq1\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 1.7.1-6\n\n");
  });

  test("of another architecture are resolved on this host", async () => {
    const image = { platforms: ["linux/amd64", "linux/arm64"], packages: { s: { debian: ["shell"] } } };
    const folder = await imageFolder(await temporaryFolder(onTestFinished), "images/x", image);
    const { s } = (await refresh(folder)).after.packages;
    expect(pinned(s?.arm64)).toEqual(["libbase 2.0-1 arm64", "shell 1:5.2-1 arm64"]);
    expect(pinned(s?.amd64)).toEqual(["libbase 2.0-1 amd64", "shell 1:5.2-1 amd64"]);
  });
});

describe("a set on another image", () => {
  test("leaves out what that image's lock has, also of an older version", async () => {
    const root = await temporaryFolder(onTestFinished);
    const base = await imageFolder(root, "images/bases/base", { packages: { all: { debian: ["libbase", "data"] } } });
    await refresh(base);
    expect(await solved({ debian: ["program"], on: "base" }, root)).toEqual([
      "program 1.0-1 amd64",
      "provider 1.0 all",
    ]);
    await writeFile(join(base, "image.lock.json"), (await lockText(base)).replace("2026b-1", "2020z-1"));
    expect(await solved({ debian: ["program"], on: "base" }, root)).toEqual([
      "program 1.0-1 amd64",
      "provider 1.0 all",
    ]);
  });

  test("builds on an image that lacks its own dependencies, as distroless ones do", async () => {
    const root = await temporaryFolder(onTestFinished);
    const base = { packages: { all: { debian: ["program"], dependencies: false } } };
    await refresh(await imageFolder(root, "images/bases/base", base));
    expect(await solved({ debian: ["shell"], on: "base" }, root)).toEqual([
      "libbase 2.0-1 amd64",
      "shell 1:5.2-1 amd64",
    ]);
  });

  test("on an image that isn't there, or isn't locked, says which", async () => {
    const root = await temporaryFolder(onTestFinished);
    await expect(solved({ debian: ["shell"], on: "base" }, root)).rejects.toThrow(/"base", which isn't there/);
    await imageFolder(root, "images/bases/base", { packages: { all: { debian: ["data"] } } });
    await expect(solved({ debian: ["shell"], on: "base" }, root)).rejects.toThrow(
      /"all" isn't locked for amd64.*run `waybill lock base` first/,
    );
  });

  test("in a circle is refused", async () => {
    const root = await temporaryFolder(onTestFinished);
    for (const [name, on] of [
      ["a", "b"],
      ["b", "a"],
    ] as const) {
      await imageFolder(root, `images/${name}`, { packages: { s: { debian: ["data"], on } } });
    }
    await expect(refresh(join(root, "images/a"))).rejects.toThrow(/stand on each other: b -> a -> b/);
  });
});

describe("a refresh", () => {
  test("writes the same text each time, a line for each package, and tells what changed", async () => {
    const root = await temporaryFolder(onTestFinished);
    const folder = await imageFolder(root, "images/x", { packages: { s: { debian: ["program"] } } });
    const first = await refresh(folder);
    expect(first.changes).toHaveLength(4);
    const text = await lockText(folder);
    expect(text.split("\n").filter((line) => line.includes('"sha256"'))).toHaveLength(4);
    expect((await refresh(folder)).changes).toEqual([]);
    expect(await lockText(folder)).toBe(text);
    expect(await checkLock(folder)).toEqual([]);
  });

  test("shows old and new, and with dryRun writes nothing", async () => {
    const root = await temporaryFolder(onTestFinished);
    const folder = await imageFolder(root, "images/x", { packages: { s: { debian: ["program"] } } });
    await refresh(folder);
    const old = (await lockText(folder)).replaceAll("1.0-1", "0.9-1");
    await writeFile(join(folder, "image.lock.json"), old);
    const { changes } = await refresh(folder, { dryRun: true });
    expect(changes).toEqual([{ part: "packages", set: "s amd64", name: "program", old: "0.9-1", new: "1.0-1" }]);
    expect(formatChanges(changes)).toBe("set      name     old    new\ns amd64  program  0.9-1  1.0-1");
    expect(await lockText(folder)).toBe(old);
  });

  test("keeps a platform that the lock was made for beside the declared ones", async () => {
    const folder = await oneImage();
    await refresh(folder, { platforms: ["linux/amd64", "linux/arm64"] });
    expect((await refresh(folder)).changes).toEqual([]);
    expect(await checkLock(folder)).toEqual([]);
    expect((await refresh(folder, { platforms: ["linux/arm64"] })).changes).toEqual([
      { part: "packages", set: "s amd64", name: "data", old: "2026b-1" },
    ]);
  });

  test("pins the bases that the caller names", async () => {
    const folder = await imageFolder(await temporaryFolder(onTestFinished), "images/x", {});
    const digest = `sha256:${"a".repeat(64)}`;
    const { after } = await refresh(folder, {
      externalBases: ["docker.io/library/golang:1.27"],
      resolveBase: () => Promise.resolve(digest),
    });
    expect(after.bases).toEqual({ "docker.io/library/golang:1.27": digest });
    // Without a registry to ask they stay, and a new one is told.
    const stay = await refresh(folder, { externalBases: ["docker.io/library/golang:1.27"] });
    expect(stay.changes).toEqual([]);
    await expect(refresh(folder, { externalBases: ["docker.io/x"] })).rejects.toThrow(
      /no registry was asked .*docker.io\/x/,
    );
  });

  test("reads the indexes of a suite once for many images", async () => {
    const own = await TestArchive.start();
    onTestFinished(() => own.stop());
    await publishSmallDebian(own);
    const root = await temporaryFolder(onTestFinished);
    for (const name of ["a", "b", "c"]) {
      const folder = await imageFolder(root, `images/${name}`, { packages: { s: { debian: ["program"] } } });
      await refresh(folder, { sources: own.sources() });
    }
    expect(own.requests.filter((path) => path === "/debian/dists/trixie/InRelease")).toHaveLength(1);
  });
});

describe("what can't be resolved is told", () => {
  test("for a name the suite lacks", async () => {
    await expect(solved({ debian: ["no-such-thing"] })).rejects.toThrow(/Unable to locate package no-such-thing/);
  });

  test("for dependencies that can't be met", async () => {
    await expect(solved({ debian: ["needs-new"] })).rejects.toThrow(/needs-new : Depends: libbase \(>= 3.0\)/);
  });

  test("for an archive that isn't there", async () => {
    const folder = await oneImage();
    const sources = archive.sources({ archive: `${archive.url}/nothing` });
    await expect(refresh(folder, { sources })).rejects.toThrow(
      /could not read the indexes of Debian trixie.*Release file/,
    );
  });

  test("for an archive that another key signed, and a keyring that isn't there", async () => {
    const folder = await oneImage();
    const other = await TestArchive.start();
    onTestFinished(() => other.stop());
    const forged = refresh(folder, { sources: archive.sources({ keyring: other.sources().keyring }) });
    await expect(forged).rejects.toThrow(/could not read the indexes.*(signature|NO_PUBKEY)/);
    const keyless = refresh(folder, { sources: archive.sources({ keyring: join(folder, "none.gpg") }) });
    await expect(keyless).rejects.toThrow(/none.gpg: apt-get install debian-archive-keyring/);
  });

  test("on a machine without apt, with the mend", async () => {
    const path = process.env.PATH ?? "";
    vi.stubEnv("PATH", await temporaryFolder(onTestFinished));
    onTestFinished(() => void vi.stubEnv("PATH", path));
    const sources = archive.sources({ archive: `${archive.url}/debian/` });
    await expect(refresh(await oneImage(), { sources })).rejects.toThrow(/no apt.*apt-get install apt/);
  });

  test("for a platform Debian doesn't have", async () => {
    const image = { platforms: ["windows/amd64"], packages: { s: { debian: ["data"] } } };
    const folder = await imageFolder(await temporaryFolder(onTestFinished), "images/x", image);
    await expect(refresh(folder)).rejects.toThrow(/no packages for the platform windows\/amd64/);
  });
});

describe("the check", () => {
  test("names everything that lock and declaration disagree on", async () => {
    const root = await temporaryFolder(onTestFinished);
    const image = { packages: { s: { debian: ["program"] }, t: { debian: ["data"], dependencies: false } } };
    const folder = await imageFolder(root, "images/x", image);
    await refresh(folder);
    await imageFolder(root, "images/x", {
      platforms: ["linux/amd64", "linux/arm64"],
      packages: {
        s: { debian: ["program", "shell"] },
        t: { debian: ["extras"], dependencies: false },
        u: { debian: ["data"] },
      },
      files: { f: ["npm:tool@1.0.0"] },
    });
    const findings = await checkLock(folder, { externalBases: ["docker.io/library/golang:1.27"] });
    expect(findings.map(({ message }) => message)).toEqual([
      "package set u is not locked",
      "architecture of package set s arm64 is not locked",
      "package in set s (amd64) shell is not locked",
      "architecture of package set t arm64 is not locked",
      "package in set t (amd64) extras is not locked",
      "package in set t (amd64) data is locked, not declared",
      "file set f is not locked",
      "base docker.io/library/golang:1.27 is not locked",
    ]);
  });
});

/** An image with one package. */
async function oneImage(): Promise<string> {
  return await imageFolder(await temporaryFolder(onTestFinished), "images/x", {
    packages: { s: { debian: ["data"] } },
  });
}

function lockText(folder: string): Promise<string> {
  return readFile(join(folder, "image.lock.json"), "utf8");
}
