// A link of some speed to a server of this machine: what it answers comes through a pipe that lets so many bytes a second pass, for
// all connections together, as a network would.

import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Transform } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/** How far ahead of the link's speed bytes may be before they wait, in seconds: timers know milliseconds. */
const SLACK_S = 0.005;

export interface Link {
  url: string;
  close(): void;
}

/** @param bytesPerSecond of what the server sends */
export async function slowLink(target: string, bytesPerSecond: number): Promise<Link> {
  // When the link will have sent all that it was given, in seconds.
  let busyUntil = 0;
  const pipe = (): Transform =>
    new Transform({
      async transform(chunk: Buffer, _encoding, done) {
        const now = performance.now() / 1000;
        busyUntil = Math.max(now, busyUntil) + chunk.length / bytesPerSecond;
        if (busyUntil - now > SLACK_S) await sleep((busyUntil - now) * 1000);
        done(undefined, chunk);
      },
    });
  const { hostname, port } = new URL(target);
  const server = createServer((client) => {
    const onward = connect(Number(port), hostname);
    for (const socket of [client, onward]) socket.on("error", () => [client, onward].forEach((each) => each.destroy()));
    client.pipe(onward);
    onward.pipe(pipe()).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}
