import { chmod, lstat, mkdir, readFile, readdir, readlink, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "@waybill/oci";
import { describe, expect, onTestFinished, test } from "vitest";
import { unpackPackages } from "../src/unpack.ts";
import { temporaryFolder } from "./archive.ts";

/** A folder with one package, of a program, a link to it and a file, in this compression. */
async function packageFolder(compression: string): Promise<string> {
  const folder = await temporaryFolder(onTestFinished);
  const root = join(folder, "root");
  await mkdir(join(root, "DEBIAN"), { recursive: true });
  const control = "Package: thing\nVersion: 1.0\nArchitecture: all\nMaintainer: T <t@localhost>\nDescription: test\n";
  await writeFile(join(root, "DEBIAN/control"), control);
  await mkdir(join(root, "usr/bin"), { recursive: true });
  await writeFile(join(root, "usr/bin/thing"), "#!/bin/sh\n".repeat(5_000));
  await chmod(join(root, "usr/bin/thing"), 0o755);
  await symlink("thing", join(root, "usr/bin/link"));
  await mkdir(join(folder, "set"));
  const args = ["--root-owner-group", `-Z${compression}`, "--build", root, join(folder, "set/thing_1.0_all.deb")];
  await run("dpkg-deb", args, { check: true });
  return join(folder, "set");
}

describe("unpacked packages", () => {
  test.each(["xz", "zstd", "gzip"])("are the files in them, from %s", async (compression) => {
    const view = await unpackPackages(await packageFolder(compression), await temporaryFolder(onTestFinished));
    expect(await readFile(join(view, "usr/bin/thing"), "utf8")).toBe("#!/bin/sh\n".repeat(5_000));
    expect((await lstat(join(view, "usr/bin/thing"))).mode & 0o777).toBe(0o755);
    expect(await readlink(join(view, "usr/bin/link"))).toBe("thing");
  });

  test.each(["xz", "zstd", "gzip"])("that are torn are never taken for whole, from %s", async (compression) => {
    const set = await packageFolder(compression);
    const cacheDir = await temporaryFolder(onTestFinished);
    const file = join(set, "thing_1.0_all.deb");
    await truncate(file, (await lstat(file)).size - 60);
    await expect(unpackPackages(set, cacheDir)).rejects.toThrow();
    const views = await readdir(join(cacheDir, "downloads/sets"));
    expect(views.filter((name) => !name.startsWith("."))).toEqual([]);
  });
});
