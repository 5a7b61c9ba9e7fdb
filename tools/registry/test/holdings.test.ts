// What a folder holds, read without its server.

import { stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Holdings } from "@waybill/registry";
import { startTestRegistry } from "./harness.ts";
import { imageOf, indexOf, pushImage, pushManifest } from "./image.ts";
import type { Blob } from "./image.ts";

const pathOf = (folder: string, { digest }: Pick<Blob, "digest">): string =>
  join(folder, "blobs", ...digest.split(":"));

describe("a folder's holdings", () => {
  it("are its tags, then what no tag and no index leads to, with platforms and sizes", async () => {
    const { url, folder, stop } = await startTestRegistry();
    const [one, two, alone] = [imageOf("1"), imageOf("2"), imageOf("alone")];
    for (const image of [one, two, alone]) await pushImage(url, "team/api", image);
    const index = indexOf([one, two]);
    await pushManifest(url, "team/api", "1.0", index);
    await pushImage(url, "team/other", one, "2.0");
    await stop();
    const found = await Array.fromAsync(new Holdings(folder).all());
    const sizeOf = (...blobs: Blob[]): number => blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(found).toMatchObject([
      {
        repository: "team/api",
        tag: "1.0",
        digest: index.digest,
        platforms: [
          { platform: "linux/amd64", digest: one.manifest.digest, complete: true },
          { platform: "linux/other1", digest: two.manifest.digest, complete: true },
        ],
        absent: 0,
        size: sizeOf(index, one.manifest, two.manifest, one.config, two.config, ...one.layers, ...two.layers),
      },
      {
        repository: "team/api",
        tag: undefined,
        digest: alone.manifest.digest,
        platforms: [{ platform: "linux/amd64" }],
      },
      { repository: "team/other", tag: "2.0", digest: one.manifest.digest },
    ]);
  });

  it("say what is missing of an image, and don't count as its use", async () => {
    const { url, folder } = await startTestRegistry();
    const image = imageOf("a");
    await pushImage(url, "team/api", image, "1.0");
    const holdings = new Holdings(folder);
    const file = join(folder, "repositories/pushed/team/api/_manifests", ...image.manifest.digest.split(":"));
    const before = (await stat(file)).mtimeMs;
    expect(await holdings.find("team/api", { tag: "1.0" })).toMatchObject({ platforms: [{ complete: true }] });
    await truncate(pathOf(folder, image.layers[1] as Blob), 10);
    expect(await holdings.find("team/api", { tag: "1.0" })).toMatchObject({ platforms: [{ complete: false }] });
    await truncate(pathOf(folder, image.manifest), 10);
    expect(await holdings.find("team/api", { tag: "1.0" })).toBeUndefined();
    expect(await holdings.find("team/none", { tag: "1.0" })).toBeUndefined();
    expect((await stat(file)).mtimeMs).toBe(before);
  });
});
