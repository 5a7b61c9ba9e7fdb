// A chat completion as it comes: server-sent events, read one by one.

import type { Running } from "./agent.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- an event's shape is what the tests assert
type Event = any;

export interface Stream {
  status: number;
  headers: Headers;
  events: AsyncIterableIterator<Event>;
  hangUp(): void;
}

/** `[DONE]` is the string "[DONE]"; comments are left out. */
export async function stream(agent: Running, content: string, more: object = {}): Promise<Stream> {
  const hangUp = new AbortController();
  const response = await fetch(`${agent.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ stream: true, messages: [{ role: "user", content }], ...more }),
    signal: hangUp.signal,
  });
  const { status, headers } = response;
  return { status, headers, events: eventsOf(response), hangUp: () => hangUp.abort() };
}

async function* eventsOf(response: Response): AsyncIterableIterator<Event> {
  let rest = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split("\n\n");
    rest = parts.pop()!;
    for (const part of parts.filter((part) => part.startsWith("data: "))) {
      const data = part.slice("data: ".length);
      yield data === "[DONE]" ? data : JSON.parse(data);
    }
  }
}

/** The pieces of text in order, and all events. */
export async function readAll({ events }: Stream): Promise<{ texts: string[]; events: Event[] }> {
  const all = await Array.fromAsync(events);
  const texts = all.map((event) => event.choices?.[0]?.delta.content as string | undefined).filter((text) => text);
  return { texts: texts as string[], events: all };
}
