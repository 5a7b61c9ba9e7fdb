// A driver of object storage, as COSI's sidecar finds one: gRPC on a UNIX socket. It knows one call for each test; messages are
// put together by hand from cosi.proto (package cosi.v1alpha1), as their fields are few.

import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { type ServerHttp2Stream, createServer } from "node:http2";

/** Protocol Buffers wire type 2: a string or message with its length before it. */
const LENGTH_DELIMITED = 2;

export interface Driver {
  /** Names of the buckets that were made, in order. */
  created: string[];
  /** Identifiers of those that were deleted. */
  deleted: string[];
  /** "bucket account", for each access that was taken back. */
  revoked: string[];
  stop(): Promise<void>;
}

/** Listens at `socket`, where everybody may connect. */
export async function startDriver(socket: string): Promise<Driver> {
  const driver = { created: [] as string[], deleted: [] as string[], revoked: [] as string[] };
  const answers: Record<string, (request: Buffer) => Buffer> = {
    "/cosi.v1alpha1.Identity/DriverGetInfo": () => text(1, "driver.example.com"),
    "/cosi.v1alpha1.Provisioner/DriverCreateBucket": (request) => {
      const name = firstText(request);
      driver.created.push(name);
      return text(1, `id-of-${name}`);
    },
    "/cosi.v1alpha1.Provisioner/DriverDeleteBucket": (request) => {
      driver.deleted.push(firstText(request));
      return Buffer.alloc(0);
    },
    "/cosi.v1alpha1.Provisioner/DriverGrantBucketAccess": () =>
      Buffer.concat([text(1, "account"), entry(2, "s3", Buffer.concat(CREDENTIALS))]),
    "/cosi.v1alpha1.Provisioner/DriverRevokeBucketAccess": (request) => {
      const bucket = firstText(request);
      driver.revoked.push(`${bucket} ${firstText(request.subarray(2 + bucket.length))}`);
      return Buffer.alloc(0);
    },
  };
  const server = createServer().listen(socket);
  server.on("stream", (stream, headers) => void answer(stream, answers[String(headers[":path"])]));
  await once(server, "listening");
  await chmod(socket, 0o777);
  const stop = async (): Promise<void> => {
    server.close();
    await once(server, "close");
  };
  return Object.assign(driver, { stop });
}

/** One unary call: messages have five bytes before them, a flag and the length. 12 is gRPC's UNIMPLEMENTED. */
async function answer(stream: ServerHttp2Stream, call: ((request: Buffer) => Buffer) | undefined): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const message = call?.(Buffer.concat(chunks).subarray(5));
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": message === undefined ? "12" : "0" }));
  if (message !== undefined) {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    stream.write(Buffer.concat([prefix, message]));
  }
  stream.end();
}

/** A field of a message or text, its length as a varint of one or two bytes: under 16 kB. */
function field(number: number, value: Buffer): Buffer {
  const { length } = value;
  const size = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | LENGTH_DELIMITED, ...size]), value]);
}

const text = (number: number, value: string): Buffer => field(number, Buffer.from(value));

/** An entry of a map: a message of key and value. */
const entry = (number: number, key: string, value: Buffer): Buffer =>
  field(number, Buffer.concat([text(1, key), field(2, value)]));

const CREDENTIALS = Object.entries({
  endpoint: "http://rgw.example",
  region: "here",
  accessKeyID: "key",
  accessSecretKey: "secret",
}).map(([key, value]) => entry(1, key, Buffer.from(value)));

/** The text under 128 bytes that a message begins with. */
const firstText = (message: Buffer): string => message.subarray(2, 2 + (message[1] ?? 0)).toString();
