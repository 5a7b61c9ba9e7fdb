// What every engine must do, as real builds.

import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EngineName, availability, chooseEngine } from "../../src/index.ts";
import { BUSYBOX, World } from "./world.ts";

/** What an engine is known not to do; docs/engines.md says it to users. */
const LOSES: Partial<Record<EngineName, readonly string[]>> = { buildah: ["HEALTHCHECK"] };

/** The suite for one engine. One that can't run on this machine is skipped out loud. */
export function conforms(name: EngineName): void {
  const state = availability(name);
  if (!state.usable) console.warn(`engine ${name} is not tested here: ${state.reason} (${state.mend})`);

  describe.skipIf(!state.usable)(`engine ${name}`, { timeout: 120_000 }, () => {
    let world: World;
    beforeAll(async () => {
      world = await World.create(chooseEngine(name));
    }, 300_000);
    afterAll(() => world.remove());

    test("builds stages on each other and keeps the image's configuration", async () => {
      const context = await world.context("stages", {
        Dockerfile: `${BUSYBOX.replace("FROM scratch", "FROM scratch AS build")}
COPY src /src
RUN /bin/busybox cat /src/a /src/b > /joined
FROM scratch
COPY --from=build /joined /out/joined
ENV MODE=serve
WORKDIR /out
EXPOSE 8080
USER 65532:65532
ENTRYPOINT ["/out/run"]
CMD ["serve"]
`,
        "src/a": "one ",
        "src/b": "two",
      });
      const { config, files } = await world.build(context);
      expect(files.get("out/joined")).toBe("one two");
      expect(files.has("src/a")).toBe(false);
      expect(config.config).toMatchObject({
        User: "65532:65532",
        Entrypoint: ["/out/run"],
        Cmd: ["serve"],
        WorkingDir: "/out",
      });
      expect(config.config?.ExposedPorts).toHaveProperty(["8080/tcp"]);
    });

    test.skipIf(LOSES[name]?.includes("HEALTHCHECK"))("keeps HEALTHCHECK", async () => {
      const Dockerfile = `${BUSYBOX}HEALTHCHECK --interval=7s CMD ["/bin/busybox", "true"]\n`;
      const { config } = await world.build(await world.context("health", { Dockerfile }));
      expect(config.config?.Healthcheck?.Test).toEqual(["CMD", "/bin/busybox", "true"]);
    });

    test("keeps a cache mount between builds and out of the image", async () => {
      const Dockerfile = `${BUSYBOX}ARG ROUND
RUN --mount=type=cache,id=conformance-${process.pid},target=/cache echo "$ROUND" >> /cache/rounds; /bin/busybox cat /cache/rounds > /seen
`;
      const context = await world.context("cache", { Dockerfile });
      await world.build(context, { buildArgs: { ROUND: "first" } });
      const { files } = await world.build(context, { buildArgs: { ROUND: "second" } });
      expect(files.get("seen")).toBe("first\nsecond\n");
      expect(files.has("cache/rounds")).toBe(false);
    });

    test("shows a secret to the step that asks, and to nothing after it", async () => {
      const Dockerfile = `${BUSYBOX}RUN --mount=type=secret,id=token,target=/run/secrets/token /bin/busybox wc -c < /run/secrets/token > /length\n`;
      const context = await world.context("secret", { Dockerfile, token: "s3cret" });
      const { files } = await world.build(context, { secrets: { token: `${context}/token` } });
      expect(files.get("length")?.trim()).toBe("6");
      expect([...files.values()].join("")).not.toContain("s3cret");
      expect(files.get("run/secrets/token") ?? "").toBe("");
    });

    test("names a required secret that is absent", async () => {
      const Dockerfile = `${BUSYBOX}RUN --mount=type=secret,id=absent,required=true /bin/busybox true\n`;
      const context = await world.context("absent", { Dockerfile });
      await expect(world.build(context)).rejects.toThrow(/secret.*absent|absent.*secret/);
    });

    test("builds on an image of a layout, by digest, and on a folder", async () => {
      const base = await world.build(await world.context("base", { Dockerfile: `${BUSYBOX}RUN echo base > /base\n` }));
      const folder = await world.context("folder", { note: "from a folder" });
      const Dockerfile = `ARG BASE=waybill/base
FROM \${BASE}
COPY --from=extra note /note
`;
      const { files } = await world.build(await world.context("child", { Dockerfile }), {
        contexts: {
          "waybill/base": { kind: "image", ...(await world.asBase(base)) },
          extra: { kind: "folder", path: folder },
        },
      });
      expect(files.get("base")).toBe("base\n");
      expect(files.get("note")).toBe("from a folder");
    });

    test("builds a variant: another stage of the same Dockerfile", async () => {
      const Dockerfile = `${BUSYBOX.replace("FROM scratch", "FROM scratch AS main")}
FROM main AS debug
RUN echo debug > /kind
FROM main
RUN echo main > /kind
`;
      const context = await world.context("variant", { Dockerfile });
      expect((await world.build(context, { target: "debug" })).files.get("kind")).toBe("debug\n");
      expect((await world.build(context)).files.get("kind")).toBe("main\n");
    });

    test("gives the same digest again, without caches and from another folder", async () => {
      const files = { Dockerfile: `${BUSYBOX}COPY src /src\nRUN echo made > /made\n`, "src/file": "content" };
      const first = await world.build(await world.context("twice/one", files), { noCache: true });
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      const again = await world.build(await world.context("twice/two", files), { noCache: true });
      expect(again.manifest.digest).toBe(first.manifest.digest);
    });

    test("says in one line which step failed, and where", async () => {
      const Dockerfile = `${BUSYBOX}RUN echo before > /before\nRUN exit 7\n`;
      const context = await world.context("fails", { Dockerfile });
      const failure = await world.build(context).catch((error: Error) => error.message);
      expect(failure).toMatch(/exit code 7/);
      expect(failure).toContain("Dockerfile");
      expect(failure).not.toContain("\n");
    });

    test("leaves nothing behind when it is ended half-way, and builds again after", async () => {
      const Dockerfile = `${BUSYBOX}RUN echo started; while ! [ -e /src/go ]; do /bin/busybox sleep 0.1; done\n`;
      const context = await world.context("ended", { Dockerfile });
      const ending = new AbortController();
      const onLine = (line: string): void => {
        if (/\bstarted$/.test(line) && !line.includes("RUN")) ending.abort(new Error("ended"));
      };
      await expect(world.build(context, { signal: ending.signal, onLine, noCache: true })).rejects.toThrow("ended");
      expect(await world.leftovers()).toEqual([]);
      await writeFile(`${context}/Dockerfile`, `${BUSYBOX}RUN echo whole > /whole\n`);
      expect((await world.build(context)).files.get("whole")).toBe("whole\n");
    });
  });
}
