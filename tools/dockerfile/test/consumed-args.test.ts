import { expect, test } from "vitest";
import { consumedArgs, declaredArgs, parseDockerfile } from "../src/index.ts";
import { fixture } from "./fixture.ts";

const dockerfile = parseDockerfile(fixture("build-args-used-and-not"), "D");

test("declared are all ARG names, each once", () =>
  expect(declaredArgs(dockerfile)).toEqual([
    "DISTRO",
    "BASE",
    "UNUSED",
    "VERSION",
    "QUIET",
    "INHERITED",
    "TARGETARCH",
    "SHADOWED",
    "LATE",
  ]));

test("consumed are those that a line names, or that a RUN has in its environment", () =>
  expect(consumedArgs(dockerfile).map(({ name, stage, line, how }) => `${name} ${stage} ${line} ${how}`)).toEqual([
    "BASE global 5 referenced",
    "DISTRO global 2 referenced",
    "VERSION 0 8 referenced",
    "QUIET 0 8 environment",
    "INHERITED 0 8 environment",
    "INHERITED 1 12 referenced",
    "TARGETARCH 1 13 referenced",
    "SOURCE_DATE_EPOCH 1 14 referenced",
    "SHADOWED 1 16 referenced",
  ]));
