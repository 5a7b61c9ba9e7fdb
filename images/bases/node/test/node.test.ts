import { type ContainerOptions, builtImage } from "@waybill/testing";
import { beforeAll, describe, expect, it } from "vitest";

let image: Awaited<ReturnType<typeof builtImage>>;
beforeAll(async () => {
  image = await builtImage("node");
}, 120_000);

async function node(args: string[], options: ContainerOptions = {}) {
  const container = await image.run({ args, ...options });
  const { exitCode } = await container.exited();
  return { exitCode, stdout: container.stdout.trim() };
}

const evaluate = async (expression: string): Promise<unknown> => {
  const { stdout } = await node(["-p", `JSON.stringify(${expression})`]);
  return JSON.parse(stdout);
};

describe("the node image", () => {
  it("runs Node 24 in production mode as 65532, on a read-only root", async () => {
    const found = await evaluate(
      "[process.versions.node.split('.')[0], process.env.NODE_ENV, process.getuid(), os.homedir()]",
    );
    expect(found).toEqual(["24", "production", 65532, "/home/nonroot"]);
  });

  it("has all of ICU and the time zones", async () => {
    const found = await evaluate(
      "new Intl.DateTimeFormat('de', { dateStyle: 'full', timeZone: 'Asia/Tokyo' }).format(0)",
    );
    expect(found).toBe("Donnerstag, 1. Januar 1970");
  });

  it("resolves names and trusts the public CAs", async () => {
    expect(await evaluate("tls.rootCertificates.length > 100")).toBe(true);
    const { stdout } = await node(["-e", "dns.lookup('localhost', (error) => console.log(error))"]);
    expect(stdout).toBe("null");
  });

  it("keeps the symbols that add-ons link against", async () => {
    expect(await evaluate("require('node:fs').readFileSync(process.execPath).includes('napi_create_function')")).toBe(
      true,
    );
  });

  it("ends on SIGTERM", async () => {
    const container = await image.run({
      args: ["-e", "process.on('SIGTERM', () => process.exit(3)); setInterval(() => {}, 1e6); console.log('up')"],
    });
    await container.logged(/up/);
    expect((await container.stop("SIGTERM")).exitCode).toBe(3);
  });

  it("has no shell, no npm and no package manager", async () => {
    const names = ["/bin/sh", "/usr/bin/dpkg", "/usr/bin/apt-get", "/usr/local/bin/npm", "/usr/local/lib/node_modules"];
    expect(await evaluate(`${JSON.stringify(names)}.filter((name) => fs.existsSync(name))`)).toEqual([]);
  });
});
