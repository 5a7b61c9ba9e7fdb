// What a build loads before it starts the engine: every task of Nx is a process of ours, so this is paid each time.

import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "@waybill/oci";

const WAYBILL = join(import.meta.dirname, "../src/waybill.ts");

/** Prints each file that is loaded, and at the end each module of Node. */
const LIST = `
import { registerHooks } from "node:module";
registerHooks({
  load(url, context, next) {
    console.log(url);
    return next(url, context);
  },
});
process.on("exit", () => console.log(process.moduleLoadList.join("\\n")));
`;

test("English alone of Zod's messages, no WebSocket, nothing of registries", async () => {
  const hook = `data:text/javascript,${encodeURIComponent(LIST)}`;
  const { stdout } = await run(process.execPath, ["--import", hook, WAYBILL, "build", "--help"], { check: true });
  const loaded = stdout.split("\n");
  expect(loaded.some((each) => each.endsWith("/tools/image/src/build.ts"))).toBe(true);
  const messages = loaded.filter((each) => each.includes("/zod/") && each.includes("/locales/"));
  expect(messages.map((each) => each.split("/").at(-1))).toEqual(["en.js"]);
  expect(
    loaded.filter((each) => /undici|\/tools\/(oci\/src\/)?registry\/|\/tools\/cache\/src\/server/.test(each)),
  ).toEqual([]);
});
