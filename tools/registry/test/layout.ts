// An image that real clients take: a layout with a layer that unpacks to one file.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { run } from "@waybill/oci";
import { blobOf, descriptorOf, OCI_MANIFEST } from "./image.ts";

/** @param folder gets it as `layout`, tagged latest @returns the layout's folder */
export async function makeLayout(folder: string): Promise<string> {
  await writeFile(join(folder, "hello"), "hello\n");
  await run("tar", ["-czf", "layer.tgz", "hello"], { check: true, cwd: folder });
  const layer = blobOf(await readFile(join(folder, "layer.tgz")));
  const diffIds = [blobOf(gunzipSync(layer.bytes)).digest];
  const config = blobOf(
    JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: diffIds } }),
  );
  const content = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptorOf(config, "application/vnd.oci.image.config.v1+json"),
    layers: [descriptorOf(layer, "application/vnd.oci.image.layer.v1.tar+gzip")],
  };
  const manifest = blobOf(JSON.stringify(content));
  const layout = join(folder, "layout");
  await mkdir(join(layout, "blobs", "sha256"), { recursive: true });
  for (const blob of [layer, config, manifest])
    await writeFile(join(layout, "blobs", ...blob.digest.split(":")), blob.bytes);
  const annotations = { "org.opencontainers.image.ref.name": "latest" };
  const manifests = [{ ...descriptorOf(manifest, OCI_MANIFEST), annotations }];
  await writeFile(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  return layout;
}
