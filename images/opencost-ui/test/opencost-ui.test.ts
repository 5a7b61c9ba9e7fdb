// The built image serves its page, as a cluster runs it; and it is what the stand-in repository says.

import { builtImage, freePort, startGitServer } from "@waybill/testing";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { VERSION, standIn } from "./support/stand-in.ts";

const FOLDER = join(import.meta.dirname, "..");
const readJson = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(FOLDER, name), "utf8"));

describe("the opencost-ui image", () => {
  it("serves its page and answers its probe with a read-only root and no capabilities, and ends on SIGTERM", async () => {
    const image = await builtImage("opencost-ui");
    const port = String(await freePort());
    const container = await image.run({ env: { UI_PORT: port } });
    await container.logged(/serving on \d+/, 60_000);
    const page = await fetch(`http://127.0.0.1:${port}/`);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(await page.text()).toContain("<h1>Stand-in for OpenCost UI</h1>");
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/nothing`)).status).toBe(404);
    expect(await container.stop("SIGTERM")).toMatchObject({ exitCode: 0 });
  });

  it("runs as upstream's user and opens upstream's port", async () => {
    const { record } = await builtImage("opencost-ui");
    expect(record.platforms[0]).toMatchObject({ user: "1001", exposedPorts: ["9090/tcp"] });
    expect(record.bases.map(({ reference }) => reference)).toEqual(["waybill/node"]);
  });
});

describe("the stand-in", () => {
  it("is what stand-in/ says: mend it with `npx node images/opencost-ui/test/support/stand-in.ts`, then lock", async () => {
    const server = await startGitServer();
    const repository = await standIn((name) => server.repository(name));
    const commit = await repository.git("rev-parse", `${VERSION}^{commit}`);
    await server.stop();
    expect(await readJson("image.lock.json")).toMatchObject({ source: { version: VERSION, commit } });
  });

  it("can't be taken for OpenCost: neither by its version nor where it would be pushed", async () => {
    const { metadata } = (await readJson("project.json")) as {
      metadata: { image: { repository: string; source: { repository: string; version: string } } };
    };
    const { repository, source } = metadata.image;
    if (source.repository.endsWith(".bundle"))
      expect([repository, source.version].join()).toMatch(/stand-in.*stand-in/);
  });
});
