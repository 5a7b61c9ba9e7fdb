import { join } from "node:path";
import { fetchPackages, readLock, unpackPackages } from "@waybill/lock";
import { type ContainerOptions, builtImage } from "@waybill/testing";
import { beforeAll, describe, expect, it } from "vitest";

let image: Awaited<ReturnType<typeof builtImage>>;
/** The image has nothing to run: a static busybox, pinned for the bootstrap of debian, looks around in it. */
let busybox: string;
beforeAll(async () => {
  image = await builtImage("static");
  const { packages } = await readLock(join(import.meta.dirname, "../../debian"));
  const { folder } = await fetchPackages(packages["busybox"]!, process.arch === "arm64" ? "arm64" : "amd64");
  busybox = join(await unpackPackages(folder), "usr/bin/busybox");
}, 120_000);

async function look(args: string[], options: ContainerOptions = {}) {
  const container = await image.run({
    entrypoint: "/tmp/busybox",
    args,
    mounts: [{ source: busybox, target: "/tmp/busybox", readOnly: true }],
    ...options,
  });
  const { exitCode } = await container.exited();
  return { exitCode, stdout: container.stdout.trim() };
}

describe("the static image", () => {
  it("runs as 65532, with a home of its own", async () => {
    expect(image.record.platforms[0]?.user).toBe("65532:65532");
    const { stdout } = await look(["sh", "-c", "/tmp/busybox id; /tmp/busybox stat -c '%u:%g %a' /home/nonroot"]);
    expect(stdout.split("\n")).toEqual([
      "uid=65532(nonroot) gid=65532(nonroot) groups=65532(nonroot)",
      "65532:65532 700",
    ]);
  });

  it("has a CA bundle where SSL_CERT_FILE says", async () => {
    const { stdout } = await look(["sh", "-c", "/tmp/busybox grep -c 'BEGIN CERTIFICATE' $SSL_CERT_FILE"]);
    expect(Number(stdout)).toBeGreaterThan(100);
  });

  it("knows time zones", async () => {
    const { exitCode } = await look(["test", "-s", "/usr/share/zoneinfo/Europe/Berlin"]);
    expect(exitCode).toBe(0);
  });

  it("has no shell, no libc and no program at all", async () => {
    const { stdout } = await look(["find", "/", "-xdev", "-type", "f", "-perm", "/111", "!", "-path", "/tmp/busybox"]);
    expect(
      stdout
        .split("\n")
        .filter(
          (file) => file !== "" && !/^\/(\.dockerenv|dev|proc|sys|run|etc\/(hosts|hostname|resolv\.conf))/.test(file),
        ),
    ).toEqual([]);
  });

  it("has a record of every package, for scanners", async () => {
    const { stdout } = await look(["sh", "-c", "cd /var/lib/dpkg/status.d && for i in *; do echo $i; done"]);
    const names = ["base-files", "ca-certificates", "media-types", "netbase", "tzdata"];
    expect(stdout.split("\n").sort()).toEqual(names.flatMap((name) => [name, `${name}.md5sums`]).sort());
  });
});
