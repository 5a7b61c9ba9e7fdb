// What an update writes beside the lock: another version in project.json, and the note for the release.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Image, imageMetadata } from "@waybill/image";
import { type Change, emptyLock, packageBytes } from "@waybill/lock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeChangeset } from "../src/changeset.ts";
import { withVersion } from "../src/new-version.ts";

const imageWith = (metadata: object): Image => ({
  name: "app",
  folder: "/nowhere/images/app",
  dockerfile: "/nowhere/images/app/Dockerfile",
  tags: [],
  metadata: imageMetadata.parse(metadata),
});

describe("another version in project.json", () => {
  const WHERE = "images/app/project.json";
  const text = '{ "version": "1.2.0",\n    "files": { "a": ["npm:tool@1.2.0",  "npm:other@1.2.0", "npm:npm@11"] } }\n';

  test("is put in where files name one in full, and the file stays as it was laid out", async () => {
    const image = imageWith({ files: { a: ["npm:tool@1.2.0", "npm:other@1.2.0", "npm:npm@11"] } });
    expect(await withVersion(image, text, "1.3.0", WHERE)).toBe(
      '{ "version": "1.2.0",\n    "files": { "a": ["npm:tool@1.3.0",  "npm:other@1.3.0", "npm:npm@11"] } }\n',
    );
  });

  test("is put into the source, not into anything else that is called a version", async () => {
    const source = { repository: "https://host/a", version: "v1.2.0" };
    const project = '{"version":"1.2.0","source":{"repository":"https://host/a","version" : "v1.2.0"}}';
    expect(await withVersion(imageWith({ source }), project, "v2", WHERE)).toBe(project.replace('"v1.2.0"', '"v2"'));
  });

  test("is refused where files have several: which is meant?", async () => {
    const image = imageWith({ files: { a: ["npm:tool@1.2.0", "npm:other@2.0.0"] } });
    await expect(withVersion(image, text, "3.0.0", WHERE)).rejects.toThrow(
      "images/app/project.json: its files are at 1.2.0, 2.0.0: edit the one that is meant",
    );
  });

  test("asks nobody where nothing names one", async () => {
    expect(await withVersion(imageWith({ files: {} }), text, undefined, WHERE)).toBe(text);
  });
});

describe("a changeset", () => {
  let root = "";
  beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), "waybill-changeset-"))));
  afterEach(() => rm(root, { recursive: true }));
  const write = async (changes: Change[]): Promise<string> =>
    readFile(join(root, await writeChangeset(root, "@waybill/app", "app", changes)), "utf8");
  const source = (from: string, to: string): Change => ({ part: "source", set: "", name: "up", old: from, new: to });
  const packages = (count: number): Change[] =>
    Array.from({ length: count }, (_, at) => ({
      part: "packages",
      set: "main amd64",
      name: `p${at}`,
      old: "1",
      new: "2",
    }));

  test.each([
    ["v1.2.0 (aaa)", "v2.0.0 (bbb)", "major"],
    ["v1.2.0 (aaa)", "v1.3.0 (bbb)", "minor"],
    ["v1.2.0 (aaa)", "v1.2.1 (bbb)", "patch"],
    ["main (aaa)", "main (bbb)", "patch"],
  ])("of a source from %s to %s is a %s", async (from, to, bump) => {
    expect(await write([source(from, to)])).toBe(
      `---\n"@waybill/app": ${bump}\n---\n\napp: pins moved\n\n- up ${from} → ${to}\n`,
    );
  });

  test("of packages is a patch, names a dozen and counts the rest; both architectures are one line", async () => {
    const amd64 = packages(14);
    const text = await write([...amd64, ...amd64.map((one) => ({ ...one, set: "main arm64" }))]);
    expect(text).toContain('"@waybill/app": patch');
    expect(text.match(/^- /gm)).toHaveLength(13);
    expect(text).toContain("- and 2 more");
  });

  test("of the same update is the same file", async () => {
    const [one, other] = [packages(2), packages(3)];
    const file = (changes: Change[]) => writeChangeset(root, "@waybill/app", "app", changes);
    expect(await file(one)).toBe(await file(one));
    expect(await file(one)).not.toBe(await file(other));
  });
});

test("the bytes of a lock's packages are those of all sets and architectures", () => {
  const one = { name: "a", version: "1", arch: "amd64", sha256: "0".repeat(64), size: 10, path: "pool/a.deb" };
  const set = { suite: "trixie", amd64: [one, { ...one, name: "b" }], arm64: [{ ...one, size: 5 }] };
  expect(packageBytes({ ...emptyLock(), packages: { main: set } })).toBe(25);
});
