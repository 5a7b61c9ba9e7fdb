// What each run of Nx loads of ours: the start counts, so who has no remote cache loads nothing of it.

import { expect, test } from "vitest";
import { run } from "@waybill/oci";

/** Prints each module of this repo, and of Zod's messages, that a run loads. */
const RUN = `
import { registerHooks } from "node:module";
registerHooks({
  load(url, context, next) {
    if (/\\/(tools|locales)\\//.test(url)) console.log(url);
    return next(url, context);
  },
});
const { preTasksExecution, postTasksExecution } = await import("@waybill/nx-plugin");
const context = { id: "1", workspaceRoot: process.cwd(), nxJsonConfiguration: {}, argv: [], taskResults: {} };
const options = JSON.parse(process.argv[1]);
await preTasksExecution(options, context);
await postTasksExecution(options, context);
// What node:http brings where it is imported as an ES module.
for (const name of process.moduleLoadList) if (name.includes("undici")) console.log("/tools/" + name);
`;

async function loaded(options: object): Promise<string[]> {
  const env = { WAYBILL_REMOTE_CACHE: undefined, NX_SELF_HOSTED_REMOTE_CACHE_SERVER: undefined };
  const args = ["--input-type=module", "--eval", RUN, JSON.stringify(options)];
  const { stdout } = await run(process.execPath, args, { cwd: import.meta.dirname, env, check: true });
  return stdout.split("\n").flatMap((url) => /\/(?:tools|zod\/v4)\/(.*)$/.exec(url)?.[1] ?? []);
}

test("nothing of the remote cache or of registries, where there is no remote cache", async () => {
  const modules = await loaded({});
  expect(modules).toContain("nx-plugin/src/after-run.ts");
  expect(modules.filter((file) => /^cache\/|^oci\/src\/registry\//.test(file))).toEqual([]);
});

test("of Zod's messages the English ones", async () => {
  const modules = await loaded({});
  expect(modules.filter((file) => file.startsWith("locales/"))).toEqual(["locales/en.js"]);
});

test("the run's part of it, where there is one", async () => {
  const modules = await loaded({ remoteCache: "127.0.0.1:9/cache" });
  expect(modules).toContain("cache/src/run.ts");
  expect(modules.filter((file) => /^cache\/src\/(prune|stats|listing)|undici/.test(file))).toEqual([]);
});
