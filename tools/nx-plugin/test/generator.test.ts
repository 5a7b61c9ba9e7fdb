// A new image of each kind, as the README tells to make one: it builds, lints and tests green at once, and a second look at the
// workspace finds nothing to mend.

import { readdir } from "node:fs/promises";
import { store } from "@waybill/image";
import { type RunningGitServer, startGitServer } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Workspace } from "../../image/test/support/workspace.ts";

const UPSTREAM = `FROM node:24-alpine
COPY server.mjs /server.mjs
EXPOSE 8765
USER 65532
CMD ["/server.mjs"]
`;
const SERVER =
  'import { createServer } from "node:http";\ncreateServer((_, response) => response.end("up")).listen(8765);\n';

describe("a new image", { timeout: 600_000 }, () => {
  let workspace: Workspace;
  let server: RunningGitServer;
  let repository = "";
  // The bases are the repo's own, built already on most machines: their bytes are in the machine's store.
  const generate = (...args: string[]) =>
    workspace.nxWith({ env: { WAYBILL_STORE: store().root } }, "g", "@waybill/nx-plugin:image", ...args);

  beforeAll(async () => {
    server = await startGitServer();
    const upstream = await server.repository("ui");
    await upstream.commit({ Dockerfile: UPSTREAM, "server.mjs": SERVER });
    await upstream.git("tag", "v1.0.0");
    repository = upstream.url;
    workspace = await Workspace.create({
      "package-lock.json": { name: "throw-away", lockfileVersion: 3, requires: true, packages: { "": {} } },
    });
    const bases = ["debian", "node", "rootfs-builder", "static"].map((name) => `images/bases/${name}`);
    await workspace.copy("vitest.config.ts", "vitest.temporary.ts", ...bases);
  }, 120_000);
  afterAll(async () => {
    await server.stop();
    await workspace.remove();
  });

  test("from a Dockerfile, Debian packages or an upstream repository is written", async () => {
    const kinds = [
      ["hello", "--from", "dockerfile"],
      ["jq", "--from", "debian", "--packages", "jq"],
      [
        "ui",
        "--from=source",
        `--repository=${repository}`,
        "--source-version=v1.0.0",
        "--bases=node:24-alpine=waybill/node",
      ],
    ];
    for (const kind of kinds) {
      const { exitCode, stdout, stderr } = await generate(...kind);
      expect(exitCode, stdout + stderr).toBe(0);
    }
    const files = await readdir(workspace.path("images/hello"), { recursive: true });
    expect(files.toSorted()).toContain("src/main.mjs");
    expect(await readdir(workspace.path("images/ui"))).not.toContain("Dockerfile");
    const { packages } = JSON.parse(await workspace.read("package-lock.json")) as { packages: Record<string, object> };
    expect(packages["images/ui"]).toMatchObject({ name: "@waybill/ui", dependencies: { "@waybill/node": "0.1.0" } });
    expect(packages["node_modules/@waybill/jq"]).toEqual({ resolved: "images/jq", link: true });
  });

  test("builds, lints and tests green at once", async () => {
    const env = { WAYBILL_STORE: store().root };
    const { exitCode, stdout, stderr } = await workspace.nxWith({ env }, "run-many", "-t", "test", "-p", "hello,jq,ui");
    expect(exitCode, stdout + stderr).toBe(0);
    for (const name of ["hello", "jq", "ui"]) {
      expect(JSON.parse(await workspace.read(`images/${name}/dist/test.json`))).toEqual({
        passed: 1,
        failed: 0,
        skipped: 0,
      });
    }
    expect((await workspace.waybill("edges")).exitCode).toBe(0);
    expect((await workspace.waybill("lock", "--check", "jq", "ui")).exitCode).toBe(0);
  });

  test("never takes another's folder, and says what it lacks", async () => {
    const again = await generate("hello", "--from", "dockerfile");
    expect(again.exitCode).not.toBe(0);
    expect(again.stdout + again.stderr).toContain("the folder is there already, images/hello: take another name");
    const lacking = await generate("other", "--from", "source");
    expect(lacking.stdout + lacking.stderr).toContain(
      "--from source needs --repository: ./nx g @waybill/nx-plugin:image",
    );
    expect(await readdir(workspace.path("images"))).not.toContain("other");
  });
});
