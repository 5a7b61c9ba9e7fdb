// The user's docker conforms. Where no docker server is set up, the private engine plays one: the driver then reaches it as it would
// reach any docker, by DOCKER_HOST, and through the inputs of @nx-tools/nx-container.

import { expect, test } from "vitest";
import { availability, chooseEngine } from "../src/index.ts";
import { clientEnv } from "../src/embedded/paths.ts";
import { nxContainerArguments } from "../src/nx-container.ts";
import { conforms } from "./support/conformance.ts";

if (!availability("docker").usable && availability("embedded").usable) {
  await chooseEngine("embedded").start();
  Object.assign(process.env, clientEnv());
  delete process.env["DOCKER_CONTEXT"];
  delete process.env["BUILDX_BUILDER"];
  // This server has no bridge network.
  process.env["INPUT_NETWORK"] = "host";
}

conforms("docker");

test.skipIf(!availability("docker").usable)(
  "takes the inputs that users of nx-container know, and nothing twice",
  async () => {
    process.env["INPUT_CACHE_FROM"] = "type=gha,scope=api-amd64";
    process.env["INPUT_PLATFORMS"] = "linux/s390x";
    const ours = ["buildx", "build", "--platform=linux/amd64", "--output=type=cacheonly"];
    const args = await nxContainerArguments(ours);
    delete process.env["INPUT_CACHE_FROM"];
    delete process.env["INPUT_PLATFORMS"];
    expect(args.slice(0, ours.length)).toEqual(ours);
    expect(args.join(" ")).toContain("--cache-from type=gha,scope=api-amd64");
    expect(args.filter((arg) => arg.startsWith("--platform") || arg.startsWith("--output"))).toHaveLength(2);
  },
);
