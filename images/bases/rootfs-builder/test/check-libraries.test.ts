import { type Shell, shellIn } from "@waybill/testing";
import { beforeAll, describe, expect, it } from "vitest";

let sh: Shell;
beforeAll(async () => {
  sh = await shellIn("rootfs-builder");
}, 120_000);

/** /tmp/program has a program that needs libc.so.6, and files that are no programs; /tmp/libc has that library and its loader. */
const TREES = `
  mkdir -p /tmp/program /tmp/libc && cp /bin/true /tmp/program/program && echo text > /tmp/program/text.so && echo '#!/bin/sh' > /tmp/program/script
  chmod +x /tmp/program/script && cp /lib/*/libc.so.6 /lib/*/ld-linux-*.so.* /tmp/libc`;

describe("check-libraries", () => {
  it("names what is linked with a library that isn't there", async () => {
    const { exitCode, stderr } = await sh(`${TREES}\ncheck-libraries /tmp/program`);
    expect(exitCode).toBe(1);
    expect(stderr).toBe("/tmp/program/program needs libc.so.6, which no package of the set has\n");
  });

  it("takes several trees as one", async () => {
    const { exitCode, stderr } = await sh(`${TREES}\ncheck-libraries /tmp/program /tmp/libc`);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  });

  it("is content with a tree that has no program", async () => {
    const { exitCode, stderr } = await sh("mkdir /tmp/empty && check-libraries /tmp/empty");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  });
});
