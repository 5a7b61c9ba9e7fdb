// A model that says what the test wrote: a real HTTP server with OpenAI's API, which keeps what it was asked.

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

interface Message {
  role: string;
  content: string | null;
  tool_call_id?: string;
  tool_calls?: { id: string; function: { name: string; arguments: string } }[];
}

export interface Asked {
  model: string;
  messages: Message[];
  stream: boolean;
  tools?: { function: { name: string; description: string; parameters: object } }[];
  temperature?: number;
}

/** What the model does when it is asked once. */
export type Turn =
  | { text: string; finish?: string }
  | { text?: string; calls: { name: string; arguments: object | string }[] }
  /** An answer that is none, such as an error. */
  | { status: number; body: string; headers?: Record<string, string> }
  /** Takes the question and says nothing, until the other side hangs up or `release` is called. */
  | { silent: true; thenText?: string }
  /** Streams this and then drops the connection. */
  | { cutAfter: string };

/** The model's turns, in order, by what the user has said; or what it makes of each question. */
export type Script = Record<string, Turn[]> | ((asked: Asked) => Turn);

const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

export class Model {
  readonly asked: Asked[] = [];
  readonly headers: IncomingMessage["headers"][] = [];
  /** How many callers hung up before they had an answer. */
  hungUp = 0;
  readonly #server: Server;
  readonly #script: Script;
  #released = Promise.withResolvers<void>();

  private constructor(script: Script) {
    this.#script = script;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(script: Script, port = 0): Promise<Model> {
    const model = new Model(script);
    model.#server.listen(port, "127.0.0.1");
    await once(model.#server, "listening");
    return model;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The questions of the conversation in which the user said this. */
  about(said: string): Asked[] {
    return this.asked.filter((asked) => saidIn(asked) === said);
  }

  /** Lets silent turns go on. */
  release(): void {
    this.#released.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray()).toString();
    if (request.url !== "/v1/chat/completions") return void response.writeHead(404).end();
    const asked = JSON.parse(body) as Asked;
    this.asked.push(asked);
    this.headers.push(request.headers);
    response.on("close", () => (this.hungUp += response.writableFinished ? 0 : 1));
    await this.#answer(this.#turn(asked), asked.stream, response);
  }

  #turn(asked: Asked): Turn {
    if (typeof this.#script === "function") return this.#script(asked);
    return this.#script[saidIn(asked)]?.shift() ?? OUT_OF_TURNS;
  }

  async #answer(turn: Turn, stream: boolean, response: ServerResponse): Promise<void> {
    if ("status" in turn) return void response.writeHead(turn.status, turn.headers).end(turn.body);
    if ("silent" in turn) {
      await this.#released.promise;
      return this.#answer({ text: turn.thenText ?? "at last" }, stream, response);
    }
    if ("cutAfter" in turn) return this.#cut(turn.cutAfter, response);
    if (stream) return this.#stream(turn, response);
    const message = {
      role: "assistant",
      content: turn.text ?? null,
      ...("calls" in turn && { tool_calls: wire(turn) }),
    };
    const finish = "calls" in turn ? "tool_calls" : (turn.finish ?? "stop");
    const choices = [{ index: 0, message, finish_reason: finish }];
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ choices, usage: USAGE }));
  }

  async #cut(text: string, response: ServerResponse): Promise<void> {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(piece({ content: text }));
    await pause(50);
    response.destroy();
  }

  /** Word by word, and calls as OpenAI cuts them: the name first, then the arguments in two. */
  #stream(turn: Extract<Turn, { text?: string }>, response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const word of (turn.text ?? "").match(/\S+\s*/g) ?? []) response.write(piece({ content: word }));
    for (const [index, call] of ("calls" in turn ? wire(turn) : []).entries()) {
      const { name, arguments: text } = call.function;
      response.write(piece({ tool_calls: [{ index, id: call.id, function: { name, arguments: "" } }] }));
      for (const half of [text.slice(0, 5), text.slice(5)]) {
        response.write(piece({ tool_calls: [{ index, function: { arguments: half } }] }));
      }
    }
    response.write(piece({}, "calls" in turn ? "tool_calls" : (turn.finish ?? "stop")));
    response.end(`data: ${JSON.stringify({ choices: [], usage: USAGE })}\n\ndata: [DONE]\n\n`);
  }
}

const saidIn = ({ messages }: Asked): string => messages.findLast(({ role }) => role === "user")?.content ?? "";

const OUT_OF_TURNS: Turn = { status: 400, body: "the test's script is at its end" };

function wire(
  turn: Extract<Turn, { calls: unknown }>,
): { id: string; type: string; function: Record<string, string> & { name: string; arguments: string } }[] {
  return turn.calls.map(({ name, arguments: given }, index) => ({
    id: `call_${index}`,
    type: "function",
    function: { name, arguments: typeof given === "string" ? given : JSON.stringify(given) },
  }));
}

function piece(delta: object, finish: string | null = null): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
}
