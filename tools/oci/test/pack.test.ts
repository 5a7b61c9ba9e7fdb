import { setImmediate, setTimeout as delay } from "node:timers/promises";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { digestOf } from "../src/index.ts";
import { pack } from "../src/pack.ts";

/** Bytes that compress somewhat, the same each time. */
function content(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let at = 0; at < length; at += 1) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    bytes[at] = (state >>> 16) & (at % 3 === 0 ? 0x0f : 0xff);
  }
  return bytes;
}

async function* slowly(bytes: Buffer, size: number, pause: () => Promise<unknown>): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) {
    await pause();
    yield bytes.subarray(at, at + size);
  }
  await pause();
}

async function all(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

describe("packing a layer", () => {
  for (const compression of ["small", "fast", "gzip"] as const) {
    for (const length of [0, 10, 3_000, 130_000, 2_500_000]) {
      it(`gives the same bytes for ${length} bytes (${compression}), however and whenever they come`, async () => {
        const bytes = content(length);
        const one = await all(
          pack(
            slowly(bytes, 65_536, () => setImmediate()),
            compression,
          ),
        );
        const unpacked = compression === "gzip" ? gunzipSync(one) : zstdDecompressSync(one);
        expect(unpacked.equals(bytes)).toBe(true);
        const others = [
          await all(
            pack(
              slowly(bytes, 1_000_003, () => Promise.resolve()),
              compression,
            ),
          ),
          await all(
            pack(
              slowly(bytes, Math.max(length, 1), () => delay(2)),
              compression,
            ),
          ),
          await all(
            pack(
              slowly(bytes, 8_191, () => Promise.resolve()),
              compression,
            ),
          ),
        ];
        expect(others.map((each) => digestOf(each))).toEqual(others.map(() => digestOf(one)));
      });
    }
  }

  it("listens to the compressor once, however much comes", async () => {
    const warnings: string[] = [];
    const note = ({ name }: Error): number => warnings.push(name);
    process.on("warning", note);
    await all(
      pack(
        slowly(Buffer.alloc(30_000_000), 1_000_000, () => Promise.resolve()),
        "fast",
      ),
    );
    await setImmediate();
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });

  it("passes a failure of its source on", async () => {
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield content(2_000_000);
      throw new Error("the disk is gone");
    };
    await expect(all(pack(failing(), "fast"))).rejects.toThrow("the disk is gone");
  });

  it("stops when its reader goes away", async () => {
    let read = 0;
    const endless = async function* (): AsyncGenerator<Buffer> {
      for (;;) {
        read += 1;
        yield content(100_000);
        await setImmediate();
      }
    };
    for await (const chunk of pack(endless(), "fast")) if (chunk.length > 0) break;
    const then = read;
    await delay(50);
    expect(read - then).toBeLessThanOrEqual(1);
  });
});
