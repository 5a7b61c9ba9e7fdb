import { describe, expect, test } from "vitest";
import { edgesOf, finalBase, parseDockerfile } from "../src/index.ts";
import { fixture } from "./fixture.ts";

const dockerfile = parseDockerfile(fixture("every-kind-of-edge"), "images/x/Dockerfile");

describe("edges", () => {
  test("FROM, COPY --from and mounts name images and contexts; stages, indices, scratch and heredocs do not", () => {
    expect(dockerfile.problems).toEqual([]);
    const edges = edgesOf(dockerfile).map(
      (edge) => `${edge.line} ${edge.kind} ${edge.reference} ${edge.stage} ${edge.reachable}`,
    );
    expect(edges).toEqual([
      "5 from waybill/toolchain-go:1.0 0 true",
      "7 mount-from packages-main 0 true",
      "13 copy-from waybill/never-shipped 1 false",
      "16 from waybill/static 3 true",
      "19 copy-from ghcr.io:443/acme/tool:1@sha256:aa 3 true",
    ]);
  });

  test("build args replace defaults, and the forms of substitution follow", () => {
    const edges = edgesOf(dockerfile, { STATIC: "cgr.dev/static", TAG: "2" }).map(({ reference }) => reference);
    expect(edges).toContain("cgr.dev/static:2");
    expect(edges).toContain("waybill/toolchain-go:2");
  });

  test("a target makes other stages reachable", () => {
    const reachable = edgesOf(dockerfile, {}, { target: "test" }).filter((edge) => edge.reachable);
    expect(reachable.map(({ reference }) => reference)).toEqual([
      "waybill/toolchain-go:1.0",
      "packages-main",
      "waybill/never-shipped",
    ]);
  });
});

describe("the platform of an edge", () => {
  const text = [
    "ARG WHERE=linux/s390x",
    "FROM --platform=$BUILDPLATFORM tools AS build",
    "COPY --from=files /a /a",
    "FROM --platform=${WHERE} other AS fixed",
    "FROM --platform=$TARGETPLATFORM base",
    "FROM base",
  ].join("\n");
  const platforms = (options: Parameters<typeof edgesOf>[2]) =>
    edgesOf(parseDockerfile(text, "Dockerfile"), {}, options).map(({ reference, platform }) => [reference, platform]);

  test("is what FROM --platform asks for, and none where that is the target's", () =>
    expect(platforms({ platform: "linux/arm64", buildPlatform: "linux/amd64" })).toEqual([
      ["tools", "linux/amd64"],
      ["files", undefined],
      ["other", "linux/s390x"],
      ["base", "linux/arm64"],
      ["base", undefined],
    ]));

  test("doesn't depend on the machine where it isn't told what that is", () =>
    expect(platforms({ platform: "linux/arm64" })[0]).toEqual(["tools", "linux/arm64"]));
});

describe("the base at run time", () => {
  test("is where the FROM chain of the final stage ends", () => expect(finalBase(dockerfile)).toBe("waybill/static"));
  test("of a named stage goes through the stages below it", () =>
    expect(finalBase(dockerfile, "TEST")).toBe("waybill/toolchain-go:1.0"));
  test("may be nothing", () => expect(finalBase(dockerfile, "assets")).toBe("scratch"));
  test("of an unknown stage is refused with the names there are", () =>
    expect(() => finalBase(dockerfile, "debug")).toThrow(
      "no stage debug, images/x/Dockerfile: its stages are build, test, assets",
    ));
});
