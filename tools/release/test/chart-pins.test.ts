import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readChart } from "@waybill/chart";
import { readLock } from "@waybill/lock";
import { RegistryClient, carryOut, planPush } from "@waybill/oci/registry";
import { startRegistry } from "@waybill/testing";
import { putImage } from "../../oci/test/fixtures.ts";
import { pinChartImages } from "../src/chart-pins.ts";
import { workspace } from "./workspace.ts";

/** A chart that names an image of somebody else's registry, beside one of the repo's own. */
async function chart() {
  const { root, store, write } = workspace();
  const registry = await startRegistry();
  onTestFinished(() => registry.stop());
  const client = new RegistryClient(registry.host);
  write(
    "charts/platform/values.yaml",
    `own: {image: registry.test/team/agent:1.0.0}\nproxy:\n  image: ${registry.host}/vendor/proxy:main # theirs\n`,
  );
  const folder = join(root, "charts/platform");
  return {
    folder,
    reference: `${registry.host}/vendor/proxy:main`,
    read: () => readFileSync(join(folder, "values.yaml"), "utf8"),
    release: async (seed: string) => {
      const { digest } = await putImage(store, seed);
      await carryOut(client, store, await planPush(client, store, digest, "vendor/proxy", ["main"]));
      return digest;
    },
    pin: (dryRun = false) => pinChartImages(readChart(folder), { own: new Set(["registry.test/team/agent"]), dryRun }),
  };
}

test("a tag of somebody else's is pinned in the lock and in the values; one of ours is not", async () => {
  const { folder, reference, read, release, pin } = await chart();
  const digest = await release("1");
  expect(await pin()).toHaveLength(1);
  expect((await readLock(folder)).bases).toEqual({ [reference]: digest });
  expect(read()).toBe(
    `own: {image: registry.test/team/agent:1.0.0}\nproxy:\n  image: ${reference}@${digest} # theirs\n`,
  );
  expect(await pin()).toEqual([]);
});

test("a tag that moved upstream is a change, which a dry run only tells", async () => {
  const { reference, read, release, pin } = await chart();
  const first = await release("1");
  await pin();
  const second = await release("2");
  expect(await pin(true)).toMatchObject([{ name: reference, old: first, new: second }]);
  expect(read()).toContain(first);
  await pin();
  expect(read()).toContain(`${reference}@${second} # theirs`);
});

test("a tag that is gone is told with its line, and nothing is written", async () => {
  const { folder, read, pin } = await chart();
  const before = read();
  await expect(pin()).rejects.toThrow(/has no .*vendor\/proxy:main, .*values\.yaml:3/);
  expect(read()).toBe(before);
  expect((await readLock(folder)).bases).toEqual({});
});
