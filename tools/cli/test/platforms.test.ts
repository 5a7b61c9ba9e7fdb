// Several platforms in one index: stages that build run on this machine, bases come along for what is built for, and a platform that
// can't be built is named.

import { writeFile } from "node:fs/promises";
import { BlobStore, readTree, run } from "@waybill/oci";
import { hostPlatform, onPath } from "@waybill/engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { busybox } from "../../image/test/support/busybox.ts";
import { Workspace } from "../../image/test/support/workspace.ts";

const HERE = hostPlatform();
const ELSEWHERE = HERE === "linux/amd64" ? "linux/arm64" : "linux/amd64";
const BOTH = ["linux/amd64", "linux/arm64"];

/** Debian's qemu-user-static; needs no entry in binfmt_misc where it is called by name. */
const EMULATOR = "qemu-aarch64-static";

const archOf = (platform: string): string => platform.split("/")[1] as string;

const APP = `FROM --platform=$BUILDPLATFORM waybill/shell AS build
ARG TARGETARCH
ARG BUILDARCH
RUN echo "on $BUILDARCH for $TARGETARCH" > /told
FROM waybill/plain
COPY --from=build /told /told
USER 65532
`;

describe("an image for two platforms", { timeout: 180_000 }, () => {
  let workspace: Workspace;
  beforeAll(async () => {
    const { bin, lock } = await busybox();
    const bare = structuredClone(lock) as { packages: { busybox: Record<string, unknown> } };
    delete bare.packages.busybox[archOf(ELSEWHERE)];
    const ignore = "*\n!file\n";
    workspace = await Workspace.create({
      "images/shell/Dockerfile": bin,
      "images/shell/.dockerignore": ignore,
      "images/shell/image.lock.json": lock,
      "images/plain/Dockerfile": "FROM scratch\nCOPY file /plain\n",
      "images/plain/.dockerignore": ignore,
      "images/plain/file": "plain\n",
      "images/app/Dockerfile": APP,
      "images/app/.dockerignore": ignore,
      "images/runs/Dockerfile": "FROM waybill/shell\nRUN /bin/busybox true\nUSER 65532\n",
      "images/runs/.dockerignore": ignore,
      "images/bare/Dockerfile": bin,
      "images/bare/.dockerignore": ignore,
      "images/bare/image.lock.json": bare,
    });
    await workspace.build("shell", "plain", "runs", "bare");
  }, 180_000);
  afterAll(() => workspace.remove());

  test("is one index; its base is built for the platform it lacked, its tools are not", async () => {
    const before = await workspace.read("images/plain/dist/image.json");
    const { exitCode, stdout, stderr } = await workspace.waybill("build", "app", "--platform", BOTH.join(","));
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain(`base: building plain for ${BOTH.join(", ")}`);
    expect(stdout).not.toContain("building shell");
    const { platforms } = await workspace.record("app");
    expect(platforms.map(({ platform }) => platform)).toEqual(BOTH);
    for (const { platform, layers } of platforms) {
      const tree = await readTree(new BlobStore(workspace.store), layers, { headBytes: () => 100 });
      expect(tree.get("told")?.head.toString()).toBe(`on ${archOf(HERE)} for ${archOf(platform)}\n`);
      expect(tree.get("plain")?.head.toString()).toBe("plain\n");
    }
    expect(await workspace.read("images/plain/dist/image.json")).toBe(before);
  });

  test("names the base's index in its record, whatever the order of platforms", async () => {
    const one = await workspace.record("app");
    await workspace.waybill("build", "app", "--platform", BOTH.toReversed().join(","));
    expect(await workspace.record("app")).toEqual(one);
    expect(one.bases.map(({ reference }) => reference)).toEqual(["waybill/plain"]);
    expect(one.bases[0]?.digest).not.toBe((await workspace.record("plain")).digest);
  });

  test("keeps the digest of a platform, built alone or with others", async () => {
    const both = await workspace.record("app");
    await workspace.waybill("build", "app", "--platform", HERE);
    const [alone] = (await workspace.record("app")).platforms;
    expect(both.platforms.find(({ platform }) => platform === HERE)?.digest).toBe(alone?.digest);
  });

  test.runIf(onPath(EMULATOR))("has programs that run on that platform: Debian's qemu-user starts one", async () => {
    const { exitCode, stderr } = await workspace.waybill("build", "shell", "--platform", "linux/arm64");
    expect(exitCode, stderr).toBe(0);
    const [platform] = (await workspace.record("shell")).platforms;
    expect(platform?.platform).toBe("linux/arm64");
    const whole = { headBytes: () => 8_000_000 };
    const tree = await readTree(new BlobStore(workspace.store), platform?.layers ?? [], whole);
    const program = workspace.path("busybox-arm64");
    await writeFile(program, tree.get("bin/busybox")?.head ?? "", { mode: 0o755 });
    const { stdout } = await run(EMULATOR, [program, "uname", "-m"], { check: true });
    expect(stdout).toBe("aarch64\n");
    await workspace.build("shell");
  });

  test("is refused as a whole where one platform has no packages, with the mend; the last record stays", async () => {
    const before = await workspace.read("images/bare/dist/image.json");
    const { exitCode, stderr } = await workspace.waybill("build", "bare", "--platform", BOTH.join(","));
    expect(exitCode).toBe(2);
    expect(stderr.trim()).toBe(
      `waybill: bare can't be built for ${ELSEWHERE}: the package set isn't locked for ${archOf(ELSEWHERE)}, images/bare/image.lock.json: run \`waybill lock\` for the image with --platform ${HERE},${ELSEWHERE}`,
    );
    expect(await workspace.read("images/bare/dist/image.json")).toBe(before);
  });

  test("with a RUN of its own is whole where the machine emulates, and else refused by name", async () => {
    const { exitCode, stderr } = await workspace.waybill("build", "runs", "--platform", BOTH.join(","));
    const { platforms } = await workspace.record("runs");
    if (exitCode === 0) expect(platforms.map(({ platform }) => platform)).toEqual(BOTH);
    else {
      expect(stderr).toContain(
        `waybill: runs can't be built for ${ELSEWHERE}: RUN starts a program of that platform, which this machine can't, images/runs/Dockerfile:2: `,
      );
      expect(platforms.map(({ platform }) => platform)).toEqual([HERE]);
    }
  });
});
