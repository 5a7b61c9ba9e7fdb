// Two machines that share nothing but a registry: what the first builds, the second has.

import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningRegistry, startRegistry } from "@waybill/testing";
import { Machine, sources } from "./support/machine.ts";

const FILES = {
  "images/bases/base/Dockerfile": "FROM scratch\nCOPY src /src\n",
  "images/bases/base/src/file": "base 1\n",
  "images/app/Dockerfile": "ARG BASE=waybill/base\nFROM ${BASE}\nCOPY src /app\n",
  "images/app/.dockerignore": "*\n!src\n",
  "images/app/src/file": "app 1\n",
};

describe("two machines", { timeout: 120_000 }, () => {
  let registry: RunningRegistry;
  let first: Machine;
  let second: Machine;
  beforeAll(async () => {
    registry = await startRegistry();
    const cache = `${registry.host}/team/nx-cache`;
    first = await Machine.create(FILES, cache);
    second = await Machine.create(FILES, cache, { engine: false });
  });
  afterAll(async () => {
    await registry.stop();
    await first.remove();
    await second.remove();
  });

  test("the second has the records of the first, and no bytes", async () => {
    expect(sources(await first.build())).toEqual({ app: "built", base: "built" });
    expect(sources(await second.build())).toEqual({ app: "remote", base: "remote" });
    expect(await second.workspace.record("app")).toEqual(await first.workspace.record("app"));
    expect(existsSync(second.workspace.store)).toBe(false);
  });
});
