// Streams an image of an OCI layout into `docker load` or `podman load` as an OCI archive: a tar of exactly its blobs.

import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type Descriptor, type Digest, run } from "@waybill/oci";

interface LoadRequest {
  layout: string;
  digest: Digest;
  /** A reference such as `localhost/api:dev`. */
  name: string;
}

/** @throws {WaybillError} the program is missing or refused the archive */
export async function loadImage(
  program: "docker" | "podman",
  env: Record<string, string | undefined>,
  request: LoadRequest,
): Promise<void> {
  await run(program, ["load", "--quiet"], { env, input: Readable.from(archive(request)), check: true });
}

/** An OCI archive (image-layout.md) in tar, as chunks. */
async function* archive({ layout, digest, name }: LoadRequest): AsyncGenerator<Buffer> {
  const blob = (of: string): string => join(layout, "blobs", of.replace(":", "/"));
  const [descriptor, ...blobs] = await manifestTree(blob, digest);
  const annotations = { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name };
  const index = { schemaVersion: 2, manifests: [{ ...descriptor, annotations }] };
  yield* textEntry("oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  yield* textEntry("index.json", JSON.stringify(index));
  for (const of of new Set([digest, ...blobs.map((each) => each.digest)])) {
    yield header(`blobs/${of.replace(":", "/")}`, (await stat(blob(of))).size);
    let size = 0;
    for await (const chunk of createReadStream(blob(of), { highWaterMark: 1 << 20 })) {
      size += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
    yield padding(size);
  }
  yield Buffer.alloc(1024);
}

/** The descriptor of the image, then those of all that it stands on. */
async function manifestTree(blob: (of: string) => string, digest: Digest): Promise<Descriptor[]> {
  const content = await readFile(blob(digest));
  const { mediaType, manifests, config, layers } = JSON.parse(content.toString()) as {
    mediaType: string;
    manifests?: Descriptor[];
    config?: Descriptor;
    layers?: Descriptor[];
  };
  const self = { mediaType, digest, size: content.length } as Descriptor;
  if (manifests === undefined) return [self, config as Descriptor, ...(layers ?? [])];
  const trees = await Promise.all(manifests.map((each) => manifestTree(blob, each.digest)));
  return [self, ...trees.flat()];
}

function* textEntry(name: string, text: string): Generator<Buffer> {
  const content = Buffer.from(text);
  yield header(name, content.length);
  yield content;
  yield padding(content.length);
}

const padding = (size: number): Buffer => Buffer.alloc((512 - (size % 512)) % 512);

/** A ustar header (POSIX.1-1988) of a regular file; blob names fit its 100 bytes. */
function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write("0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  // Sizes above 8 GiB don't fit octal; no layer of a sane image comes near.
  block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  block.write("00000000000\0", 136);
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
