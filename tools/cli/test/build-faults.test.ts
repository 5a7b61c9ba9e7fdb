// Bad input: each fault is one line with file, line and mend, exit code 2, and leaves the last good record where it was.

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type Server, type Socket, createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedPaths, startEmbedded } from "@waybill/engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunResult, run } from "@waybill/oci";
import { busybox } from "../../image/test/support/busybox.ts";
import { type Files, Workspace } from "../../image/test/support/workspace.ts";

const GOOD: Files = {
  "images/app/Dockerfile": "FROM scratch\nCOPY file /file\n",
  "images/app/.dockerignore": "*\n!file\n",
  "images/app/file": "of build-faults\n",
};

let workspace: Workspace;
let good: string;

beforeAll(async () => {
  workspace = await Workspace.create(GOOD);
  await workspace.build("app");
  good = await workspace.read("images/app/dist/image.json");
}, 120_000);
afterAll(() => workspace.remove());

/** Builds `app` with other files, and puts everything right again. */
async function fault(files: Files, options: Parameters<Workspace["waybillWith"]>[0] = {}): Promise<RunResult> {
  await workspace.write(files);
  try {
    return await workspace.waybillWith(options, "build", "app");
  } finally {
    for (const path of Object.keys(files)) await run("rm", ["-f", workspace.path(path)]);
    await workspace.write(GOOD);
  }
}

async function expectLine({ exitCode, stderr }: RunResult, line: RegExp): Promise<void> {
  expect(stderr.trimEnd().split("\n")).toEqual([expect.stringMatching(line)]);
  expect(exitCode).toBe(2);
  expect(await workspace.read("images/app/dist/image.json")).toBe(good);
  expect(await workspace.leftovers()).toEqual([]);
}

describe("waybill build says in one line", { timeout: 60_000 }, () => {
  test("a syntax error in the Dockerfile", async () => {
    const result = await fault({ "images/app/Dockerfile": "FROM scratch\n\nCOPPY file /file\n" });
    await expectLine(result, /^waybill: unknown instruction COPPY, images\/app\/Dockerfile:3: did you mean COPY\?$/);
  });

  test("an image that is not in this repo", async () => {
    const result = await fault({ "images/app/Dockerfile": "# one\nFROM waybill/nope\n" });
    await expectLine(result, /^waybill: there is no image "nope", images\/app\/Dockerfile:2: the images are app$/);
  });

  test("a base that was never built", async () => {
    const result = await fault({
      "images/app/Dockerfile": "FROM waybill/base\n",
      "images/base/Dockerfile": "FROM scratch\nCOPY file /file\n",
    });
    await expectLine(result, /^waybill: .*images\/base\/dist\/image\.json: .*docker-build/);
  });

  test("images that are built from each other", async () => {
    const result = await fault({
      "images/app/Dockerfile": "FROM scratch\nCOPY --from=waybill/b /b /b\n",
      "images/b/Dockerfile": "FROM waybill/c\n",
      "images/c/Dockerfile": "ARG X=waybill/app\nFROM ${X}\n",
    });
    await expectLine(
      result,
      /^waybill: images are built from each other \(app -> b -> c -> app\), images\/app\/Dockerfile:2, images\/b\/Dockerfile:1, images\/c\/Dockerfile:2: /,
    );
  });

  test("an outside image that is not in the lock", async () => {
    const result = await fault({ "images/app/Dockerfile": "FROM docker.io/library/alpine:3.22\n" });
    await expectLine(
      result,
      /^waybill: docker\.io\/library\/alpine:3\.22 .*pinned, images\/app\/Dockerfile:1: .*waybill lock app/,
    );
  });

  test("every mistake in project.json, with its line", async () => {
    const budget = '"budget": { "compressed": "ten",\n "unpacked": 5 }';
    const project = `{ "name": "app",\n"metadata": { "image": {\n${budget},\n"platform": "linux/amd64" } } }`;
    const result = await fault({ "images/app/project.json": project });
    await expectLine(result, /^waybill: 3 problem\(s\): .*images\/app\/project\.json$/);
    expect(result.stderr).toMatch(/line 3: metadata\.image\.budget\.compressed: a size is .*"45 MB"/);
    expect(result.stderr).toMatch(/line 4: metadata\.image\.budget\.unpacked: /);
    expect(result.stderr).toMatch(/platform/);
  });

  test("a project.json that is no JSON", async () => {
    const result = await fault({ "images/app/project.json": '{ "name": "app",\n' });
    await expectLine(result, /^waybill: not JSON \(.*\), images\/app\/project\.json/);
  });

  test("two images of one name", async () => {
    const result = await fault({
      "images/twin/Dockerfile": "FROM scratch\nCOPY file /file\n",
      "images/twin/project.json": { name: "app" },
    });
    await expectLine(result, /^waybill: two images are named app, images\/app and images\/twin: rename one/);
  });

  test("a file that isn't there", async () => {
    const result = await fault({ "images/app/Dockerfile": "FROM scratch\nCOPY nothing /file\n" });
    await expectLine(
      result,
      /^waybill: \/?nothing is not in the build context, images\/app\/Dockerfile:2: .*dockerignore/,
    );
  });

  test("a secret that is needed and absent", async () => {
    const { bin, lock } = await busybox();
    const run = "RUN --mount=type=secret,id=token,required=true /bin/busybox true";
    const result = await fault({ "images/app/Dockerfile": `${bin}${run}\n`, "images/app/image.lock.json": lock });
    await expectLine(
      result,
      /^waybill: .*secret "token".*, images\/app\/Dockerfile:4: give it with --secret token=FILE$/,
    );
  });

  test("a step that fails, after what it printed", async () => {
    const { bin, lock } = await busybox();
    const dockerfile = `${bin}RUN echo why it failed; exit 3\n`;
    const result = await fault({ "images/app/Dockerfile": dockerfile, "images/app/image.lock.json": lock });
    await expectLine(result, /^waybill: RUN failed with exit code 3, images\/app\/Dockerfile:4: its output is above$/);
    expect(result.stdout).toContain("why it failed");
  });

  test("an engine that nobody knows, or that can't be used here", async () => {
    await expectLine(
      await fault({}, { env: { WAYBILL_ENGINE: "nonsense" } }),
      /^waybill: unknown engine "nonsense": use one of docker, embedded, buildah$/,
    );
    // A PATH without a docker client: which other engines there are doesn't count, as one was asked for.
    await expectLine(
      await fault({}, { env: { WAYBILL_ENGINE: "docker", PATH: "/nowhere" } }),
      /^waybill: the engine docker can't be used: there is no docker client: install Docker/,
    );
  });

  test("the faults of one image alone: others build", async () => {
    await workspace.write({ "images/broken/Dockerfile": "FROM scratch\n", "images/broken/project.json": "{" });
    const { exitCode, stderr } = await workspace.waybill("build", "app");
    await run("rm", ["-r", workspace.path("images/broken")]);
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
  });
});

describe("a build that ends half-way", { timeout: 60_000 }, () => {
  const wait = "RUN echo started; while :; do /bin/busybox sleep 0.1; done";
  const hasStarted = (line: string): boolean => /\bstarted$/.test(line) && !line.includes("RUN");

  async function waiting(
    onStart: () => void,
    more: { env?: Record<string, string>; signal?: AbortSignal } = {},
  ): Promise<RunResult> {
    const onLine = (line: string): void => {
      if (hasStarted(line)) onStart();
    };
    const { bin, lock } = await busybox();
    await workspace.write({ "images/app/Dockerfile": `${bin}${wait}\n`, "images/app/image.lock.json": lock });
    try {
      return await workspace.waybillWith({ ...more, onLine }, "build", "app", "--verbose", "--no-cache");
    } finally {
      await run("rm", ["-f", workspace.path("images/app/image.lock.json")]);
      await workspace.write(GOOD);
    }
  }

  test("as someone stopped it leaves nothing half-written", async () => {
    const ending = new AbortController();
    // As Ctrl-C does: SIGTERM to the whole group.
    await expect(waiting(() => ending.abort(new Error("stopped")), { signal: ending.signal })).rejects.toThrow(
      "stopped",
    );
    expect(await workspace.read("images/app/dist/image.json")).toBe(good);
    expect(await workspace.leftovers()).toEqual([]);
  });

  test("as its engine went away says so", async () => {
    const engine = await EngineBehind.open();
    try {
      const { exitCode, stderr } = await waiting(() => engine.die(), { env: engine.env });
      expect(stderr.trimEnd().split("\n").at(-1)).toMatch(
        /^waybill: the engine went away during the build, images\/app\/Dockerfile.*: .*waybill doctor/,
      );
      expect(exitCode).toBe(2);
    } finally {
      await engine.close();
    }
    expect(await workspace.read("images/app/dist/image.json")).toBe(good);
    expect(await workspace.leftovers()).toEqual([]);
  });
});

/** The private engine behind a socket of our own, which can die without it. */
class EngineBehind {
  readonly folder: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(folder: string) {
    this.folder = folder;
    this.#server = createServer((client) => {
      const engine = createConnection(embeddedPaths().docker);
      for (const socket of [client, engine]) this.#sockets.add(socket.on("error", () => {}));
      client.pipe(engine).pipe(client);
    });
  }

  static async open(): Promise<EngineBehind> {
    await startEmbedded();
    const engine = new EngineBehind(await mkdtemp(join(tmpdir(), "waybill-socket-")));
    engine.#server.listen(join(engine.folder, "docker.sock"));
    await once(engine.#server, "listening");
    return engine;
  }

  get env(): Record<string, string> {
    const { config, root } = embeddedPaths();
    return {
      WAYBILL_ENGINE: "docker",
      DOCKER_HOST: `unix://${join(this.folder, "docker.sock")}`,
      DOCKER_CONFIG: config,
      // This server has no bridge network.
      INPUT_NETWORK: "host",
      PATH: `${join(root, "usr/bin")}:${process.env["PATH"]}`,
    };
  }

  die(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.die();
    await rm(this.folder, { recursive: true });
  }
}

describe("a full disk", { timeout: 60_000 }, () => {
  const store = (): string => workspace.path("tiny");

  test("is named, and leaves the last good record", async (context) => {
    await run("mkdir", ["-p", store()]);
    const mounted = await run("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", store()]);
    if (mounted.exitCode !== 0) {
      console.warn(`a full disk is not tested here: ${mounted.stderr.trim()}`);
      return context.skip();
    }
    try {
      const noise = Array.from({ length: 40_000 }, () => Math.random().toString(36)).join("\n");
      const result = await fault({ "images/app/file": noise }, { env: { WAYBILL_STORE: store() } });
      await expectLine(result, /^waybill: the disk is full.*: free some space/);
    } finally {
      await run("umount", [store()], { check: true });
    }
  });
});
