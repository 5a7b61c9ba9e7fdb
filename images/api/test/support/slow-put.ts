/** A PUT whose body comes in two parts, so that a test can do something while the request is in flight. */
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { ImageRecord } from "../../src/record.ts";

export interface SlowPut {
  /** Sends the rest; gives the answer as it came over the wire. */
  finish(): Promise<string>;
}

/** Resolves when the service has read the head: `Expect: 100-continue` makes it say so. */
export async function startPut(port: number, record: ImageRecord): Promise<SlowPut> {
  const body = Buffer.from(JSON.stringify(record));
  const socket = connect(port, "127.0.0.1");
  socket.write(
    `PUT /v1/images/${record.name}/${record.digest} HTTP/1.1\r\nHost: api\r\nExpect: 100-continue\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  await once(socket, "data");
  socket.write(body.subarray(0, 100));
  return {
    finish: () => {
      socket.write(body.subarray(100)); // not end(): to Node, a client that closes its half has gone
      return text(socket);
    },
  };
}
