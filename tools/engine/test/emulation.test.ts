// Entries of binfmt_misc as the kernel shows them (Documentation/admin-guide/binfmt-misc.rst).

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { emulatedPlatforms } from "../src/emulation.ts";

describe("a platform is emulated", () => {
  let folder = "";
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "waybill-binfmt-"))));
  afterEach(() => rm(folder, { recursive: true }));
  const register = (state: string, flags: string): Promise<void> =>
    writeFile(
      join(folder, "qemu-aarch64"),
      `${state}\ninterpreter /usr/bin/qemu-aarch64-static\nflags: ${flags}\noffset 0\n`,
    );

  test("where its emulator holds inside containers", async () => {
    await register("enabled", "OCF");
    expect(emulatedPlatforms(folder)).toEqual(["linux/arm64"]);
  });

  test("not where it is switched off, or would be looked for inside the container", async () => {
    await register("disabled", "F");
    expect(emulatedPlatforms(folder)).toEqual([]);
    await register("enabled", "OC");
    expect(emulatedPlatforms(folder)).toEqual([]);
  });

  test("not where the kernel has no such entry", () => expect(emulatedPlatforms(join(folder, "nowhere"))).toEqual([]));
});
