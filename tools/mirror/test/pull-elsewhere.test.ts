// Pulls into a mirror that another registry serves: Debian's docker-registry as a pull-through.

import { glob, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findMirror, locate, setUpBackend } from "@waybill/mirror/backend";
import { pullAll } from "@waybill/mirror/pull";
import { fromMirror, toMirror } from "@waybill/mirror/rewrite";
import { formatReference, parseReference } from "@waybill/oci";
import { freePort, startRegistry, until } from "@waybill/testing";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../registry/test/harness.ts";
import { OCI_MANIFEST, pullImage } from "../../registry/test/image.ts";
import { startDistribution } from "./support/distribution.ts";
import { pushImage } from "./support/world.ts";

it("an image that was pulled ahead is there when its registry is gone, by the name that rewrite gives", async () => {
  const folder = await temporaryFolder();
  const upstream = await startRegistry();
  onTestFinished(() => upstream.stop());
  await pushImage(folder, `${upstream.host}/team/api:1.0`);
  const [own, proxy] = [await freePort(), await freePort()];
  const at = `http://127.0.0.1:${proxy}`;
  const upstreams = { "example.com": { url: `http://${upstream.host}`, at } };
  const settings = {
    backend: "distribution",
    url: `http://127.0.0.1:${own}`,
    storage: join(folder, "storage"),
    upstreams,
  };
  await writeFile(join(folder, "backend.json"), JSON.stringify(settings));
  const { files } = await setUpBackend(folder, { backend: "distribution", url: undefined, storage: undefined });
  await startDistribution(files, { own, "example.com": proxy });
  const mirror = await findMirror(folder);
  if (mirror === undefined) throw new Error("the mirror does not answer");
  const wanted = ["example.com/team/api:1.0", "other.com/team/api:1.0"].map((name) => ({
    reference: parseReference(name),
  }));
  const [pulled, other] = await pullAll(mirror, undefined, wanted, { platforms: ["linux/amd64"], concurrency: 2 });
  expect(pulled).toMatchObject({ status: "pulled" });
  expect(other).toMatchObject({
    status: "failed",
    failure: expect.stringContaining("not among the mirror's upstreams") as string,
  });
  // Distribution answers first and stores afterwards, by another download: here a config and a layer.
  const stored = async (): Promise<number> =>
    (await Array.fromAsync(glob(join(folder, "storage", "**", "_layers", "sha256", "*", "link")))).length;
  await until("the image is stored", async () => (await stored()) >= 2);
  await upstream.stop();
  expect(await pullImage(at, "team/api", pulled?.digest ?? "", { accept: `${OCI_MANIFEST}, */*` })).toBe(
    pulled?.digest,
  );

  const reference = parseReference("example.com/team/api:1.0");
  const rewritten = toMirror(mirror)(reference);
  expect(rewritten && formatReference(rewritten)).toBe(`127.0.0.1:${proxy}/team/api:1.0`);
  expect(rewritten && fromMirror(mirror)(rewritten)).toEqual(reference);
  expect(locate(mirror, reference)).toMatchObject({ repository: "team/api" });
});
