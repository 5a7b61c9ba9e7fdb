import { describe, expect, test } from "vitest";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { edgeDifferences, edgeFacts, fixEdges, formatFinding, lintImage } from "../src/index.ts";
import type { Finding } from "../src/index.ts";
import { repoOf } from "./fixture.ts";

const PACKAGE = JSON.stringify({
  name: "@waybill/x",
  version: "0.1.0",
  dependencies: { "@waybill/static": "0.2.0", zod: "4.0.0" },
});
const STATIC = {
  "static/Dockerfile": "FROM scratch\n",
  "static/package.json": '{"name":"@waybill/static","version":"0.2.0"}',
};
const GOOD = "ARG STATIC=waybill/static\nFROM ${STATIC}\nCOPY src /src\nUSER 65532\n";

async function lint(files: Record<string, string>): Promise<Finding[]> {
  const defaults = { ...STATIC, "x/Dockerfile": GOOD, "x/.dockerignore": "*\n!src\n", "x/package.json": PACKAGE };
  const images = await repoOf({ ...defaults, ...files });
  const image = images.get("x");
  if (image === undefined) throw new Error("no x");
  return await lintImage(image, { images });
}

const told = (findings: readonly Finding[]): string[] =>
  findings.map((finding) => formatFinding({ ...finding, file: finding.file.replace(/^.*\/x\//, "") }));

describe("the Dockerfile", () => {
  test("that keeps to the rules has no findings", async () => expect(told(await lint({}))).toEqual([]));

  test("is read by the real hadolint, shellcheck and all", async () => {
    const text = `${GOOD}RUN cd /tmp && echo $UNQUOTED\n`;
    expect(await lint({ "x/Dockerfile": text })).toMatchObject([
      { rule: "DL3003", line: 5, severity: "warning" },
      { rule: "SC2086", line: 5 },
    ]);
  });

  test("may copy from named contexts and whole file systems: those rules of hadolint's are off", async () => {
    const text =
      "FROM waybill/static AS s\nFROM scratch\nCOPY --from=s / /\nCOPY --from=waybill/static /etc /etc\nUSER 65532\n";
    expect(told(await lint({ "x/Dockerfile": text }))).toEqual([]);
  });

  test("with a syntax error is told by file and line", async () => {
    const found = await lint({ "x/Dockerfile": `${GOOD}COPPY a b\n` });
    expect(told(found)).toContain("Dockerfile:5: unknown instruction COPPY: did you mean COPY? (dockerfile)");
  });

  test("names no frontend to pull", async () =>
    expect(told(await lint({ "x/Dockerfile": `# syntax=docker/dockerfile:1\n${GOOD}` }))).toEqual([
      "Dockerfile:1: # syntax=docker/dockerfile:1 makes every build pull that image first: delete the line: the engine's own frontend is used (syntax-line)",
    ]));

  test("adds nothing from the network without a checksum", async () => {
    const text = `${GOOD}ADD https://x.test/a /a\nADD --checksum=sha256:aa https://x.test/b /b\n`;
    expect(await lint({ "x/Dockerfile": text })).toMatchObject([{ rule: "download-unverified", line: 5 }]);
  });

  test("stands on images of this repo, or on pinned ones, or on locked sets", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const text = `${GOOD}FROM debian:13 AS a\nFROM cgr.dev/static:1 AS b\nCOPY --from=waybill/nope /a /a\nCOPY --from=packages-gone /a /a\nCOPY --from=shared-gone /a /a\nUSER 65532\n`;
    const lock = JSON.stringify({ lockVersion: 1, bases: { "cgr.dev/static:1": digest } });
    const found = await lint({ "x/Dockerfile": text, "x/image.lock.json": lock });
    expect(told(found).filter((one) => one.includes("base-unknown"))).toMatchObject([
      "Dockerfile:5: debian:13 is neither an image of this repo nor pinned in image.lock.json: write waybill/<image>, or pin it with `npx waybill lock x` (base-unknown)",
      "Dockerfile:7: there is no image waybill/nope in this repo: the images are static, x (base-unknown)",
      'Dockerfile:8: the set "gone" is not in image.lock.json: declare it in project.json, then `npx waybill lock x` (base-unknown)',
      expect.stringMatching(/^Dockerfile:9: there is no folder images\/shared\/gone: .+ \(base-unknown\)$/),
    ]);
  });

  test("uses every build arg that project.json declares", async () => {
    const project = JSON.stringify({
      name: "x",
      metadata: { image: { buildArgs: { USED: "1", QUIET: "1", IDLE: "1", GONE: "1" } } },
    });
    const text = `${GOOD}ARG IDLE\nFROM waybill/static\nARG USED QUIET\nRUN make "u=$USED"\nUSER 65532\n`;
    expect(told(await lint({ "x/Dockerfile": text, "x/project.json": project }))).toEqual([
      "Dockerfile: the build arg IDLE is declared, and nothing uses it: use $IDLE, or take it out of metadata.image.buildArgs in project.json (build-arg-unused)",
      "Dockerfile: there is no ARG GONE: use $GONE, or take it out of metadata.image.buildArgs in project.json (build-arg-unused)",
      'Dockerfile:8: no line names the build arg QUIET, though this RUN has it in its environment: write QUIET="$QUIET" before the command that reads it (build-arg-unused)',
    ]);
  });

  test("may make an exception, with a reason", async () => {
    const text = `# waybill ignore=ignore-allow-list: the upstream's tree is taken whole\n${GOOD}`;
    expect(told(await lint({ "x/Dockerfile": text, "x/.dockerignore": "node_modules\n" }))).toEqual([]);
  });
});

test("the ignore file says what is sent, not what isn't", async () =>
  expect(told(await lint({ "x/.dockerignore": "node_modules\n" }))).toEqual([
    '.dockerignore: the ignore file lists what is left out: begin it with "*" and name what the build needs after "!": a new file then rebuilds nothing by accident (ignore-allow-list)',
  ]));

describe("package.json and Dockerfile", () => {
  const wrong = {
    name: "@waybill/x",
    version: "1.0.0",
    dependencies: { "@waybill/old": "0.1.0", "@waybill/static": "0.1.0", zod: "4.0.0" },
  };
  const files = {
    ...STATIC,
    "old/Dockerfile": "FROM scratch\n",
    "old/package.json": '{"version":"0.1.0"}',
    "new/Dockerfile": "FROM scratch\n",
    "new/package.json": '{"version":"0.3.0"}',
    "x/Dockerfile": `${GOOD}COPY --from=waybill/new /a /a\n`,
    "x/package.json": `${JSON.stringify(wrong, undefined, 2)}\n`,
  };

  test("differ by images missing, surplus, and at another version", async () => {
    const images = await repoOf(files);
    const found = await lintImage(images.get("x") as never, { images });
    expect(told(found.filter(({ rule }) => rule === "edges-differ"))).toEqual([
      "Dockerfile:5: the Dockerfile is built from waybill/new, package.json doesn't depend on @waybill/new: `npx waybill edges --fix` (edges-differ)",
      "package.json:5: package.json depends on @waybill/old, the Dockerfile isn't built from it: `npx waybill edges --fix` (edges-differ)",
      "package.json:6: package.json depends on @waybill/static 0.1.0, which is at 0.2.0: `npx waybill edges --fix` (edges-differ)",
    ]);
  });

  test("are made to agree, and nothing else is touched", async () => {
    const images = await repoOf(files);
    const image = images.get("x") as never as Parameters<typeof edgeFacts>[0];
    expect(await fixEdges(await edgeFacts(image, images))).toHaveLength(3);
    expect(await edgeDifferences(await edgeFacts(image, images))).toEqual([]);
    expect(JSON.parse(await readFile(join(image.folder, "package.json"), "utf8"))).toEqual({
      ...wrong,
      dependencies: { "@waybill/new": "0.3.0", "@waybill/static": "0.2.0", zod: "4.0.0" },
    });
    expect(await fixEdges(await edgeFacts(image, images))).toEqual([]);
  });
});
