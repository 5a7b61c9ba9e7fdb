/** The frames of the worker's socket, however they are cut into chunks. */
import { describe, expect, it } from "vitest";
import { encodeFrame, FrameReader } from "../src/worker/frames.ts";

function withPayload(message: unknown, payload: Buffer): Buffer {
  const frame = encodeFrame(message);
  frame.writeUInt32BE(payload.length, 4);
  return Buffer.concat([frame, payload]);
}

const frames = [
  { message: { id: 1, text: "ñ" }, payload: Buffer.alloc(0) },
  { message: { id: 2 }, payload: Buffer.from([1, 2, 3]) },
  { message: {}, payload: Buffer.alloc(300_000, 7) },
];
const stream = Buffer.concat(frames.map(({ message, payload }) => withPayload(message, payload)));

describe("FrameReader", () => {
  it.each([1, 2, 7, 8, 9, 65_536, stream.length])("puts frames together from chunks of %d bytes", (size) => {
    const reader = new FrameReader();
    const seen = [];
    for (let at = 0; at < Math.min(stream.length, size === 1 ? 200 : stream.length); at += size)
      seen.push(...reader.push(stream.subarray(at, at + size)));
    if (size === 1) seen.push(...reader.push(stream.subarray(200)));
    expect(seen).toEqual(frames);
  });

  it("waits for the rest of a frame", () => {
    const reader = new FrameReader();
    expect(reader.push(stream.subarray(0, 11))).toEqual([]);
  });
});
