/**
 * A worker that does as its texts say, for what the real one does seldom: it speaks the protocol over file descriptor 3.
 * "die", "hang", "fail"; "hold <file>" answers once the file is there. Any other text has the vector [its words, its length].
 */
import { access } from "node:fs/promises";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { FrameReader } from "../../src/worker/frames.ts";

const MAX_TOKENS = 8;
const socket = new Socket({ fd: 3, readable: true, writable: true });

function say(message: object, payload = Buffer.alloc(0)): void {
  const text = Buffer.from(JSON.stringify(message));
  const header = Buffer.alloc(8);
  header.writeUInt32BE(text.length, 0);
  header.writeUInt32BE(payload.length, 4);
  socket.write(Buffer.concat([header, text, payload]));
}

const words = (text: string): number => text.split(/\s+/).filter(Boolean).length;

async function obey(text: string): Promise<void> {
  const [command, file = ""] = text.split(" ");
  if (command === "die") process.kill(process.pid, "SIGKILL");
  if (command === "hang") await new Promise(() => {});
  if (command === "fail") throw new Error("as it was told");
  if (command === "hold") while (!(await there(file))) await sleep(5);
}

const there = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

interface Message {
  id: number;
  texts?: string[];
  queries?: string[];
  pairs?: [number, string][];
}

/** A document's score: how many letters of its query it begins with. */
function score(query: string, document: string): number {
  const differs = [...query].findIndex((letter, index) => document[index] !== letter);
  return differs < 0 ? query.length : differs;
}

async function answer({ id, texts, queries = [], pairs = [] }: Message): Promise<void> {
  const read = texts ?? pairs.map(([, document]) => document);
  try {
    for (const text of read) await obey(text);
  } catch (error) {
    return say({ id, error: (error as Error).message });
  }
  const values = texts
    ? texts.flatMap((text) => [words(text), text.length])
    : pairs.map(([query, document]) => score(queries[query] as string, document));
  say({ id, tokens: read.map(words) }, Buffer.from(Float32Array.from(values).buffer));
}

const behaviour = process.env["BEHAVIOUR"];
if (behaviour === "die") process.kill(process.pid, "SIGKILL");
if (behaviour === "fault") {
  say({ fault: "the model is no good" });
  socket.end(() => process.exit(2));
} else {
  console.log("loading");
  const kind = process.env["KIND"] ?? "embedding";
  const dimensions = kind === "embedding" ? 2 : 0;
  say({ ready: { kind, dimensions, maxTokens: MAX_TOKENS, sha256: "0".repeat(64), provider: "none", threads: 1 } });
  const reader = new FrameReader();
  socket.on("data", (chunk: Buffer) => {
    for (const { message } of reader.push(chunk)) void answer(message as Message);
  });
  socket.on("end", () => process.exit(0));
}
