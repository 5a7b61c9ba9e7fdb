/** Records to send: valid, and each its own. */
import { createHash, randomUUID } from "node:crypto";
import type { ImageRecord } from "../../src/record.ts";

export function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** A record of `name`; the same `build` gives the same record. */
export function recordOf(name: string, build: string = randomUUID()): ImageRecord {
  const layer = { digest: digestOf(`${build} layer`), mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" };
  const platform = {
    platform: "linux/amd64",
    digest: digestOf(`${build} manifest`),
    config: digestOf(`${build} config`),
    size: 45_000_000,
    unpackedSize: 120_000_000,
    layers: [{ ...layer, size: 45_000_000, unpackedSize: 120_000_000, createdBy: "COPY src/ src/ # ☃" }],
    user: "65532:65532",
    entrypoint: ["/usr/local/bin/node", "/app/main.js"],
    cmd: [],
    exposedPorts: ["8080/tcp"],
    healthcheck: [],
  };
  return {
    schemaVersion: 1,
    name,
    digest: digestOf(`${name} ${build}`),
    mediaType: "application/vnd.oci.image.index.v1+json",
    platforms: [platform],
    bases: [{ reference: "waybill/node", digest: digestOf("node") }],
    buildArgs: { VERSION: "1" },
    variants: { debug: { digest: digestOf(`${build} debug`), platforms: [platform] } },
  };
}

/** A name no other test uses. */
export function newName(): string {
  return `image-${randomUUID().slice(0, 13)}`;
}
