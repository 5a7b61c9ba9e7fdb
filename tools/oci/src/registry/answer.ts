// What a registry answers, before its body is read. Node's fetch would do, if it weren't slow with large bodies (it copies each byte
// on its way through a web stream) and didn't cost every process 25 ms and 10 MB to load.

import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

/** Header fields, by names in lower case; several of one name are joined as RFC 9110 section 5.3 has it. */
export class Headers {
  readonly #fields: IncomingHttpHeaders;

  constructor(fields: IncomingHttpHeaders) {
    this.#fields = fields;
  }

  get(name: string): string | null {
    const value = this.#fields[name];
    return (Array.isArray(value) ? value.join(", ") : value) ?? null;
  }
}

export class Answer {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  /** To be read to its end, or discarded. */
  readonly body: IncomingMessage;

  constructor(url: URL, message: IncomingMessage) {
    this.url = url;
    this.status = message.statusCode ?? 0;
    this.headers = new Headers(message.headers);
    this.body = message;
    // One that breaks off while nobody reads it is nobody's failure; who reads is told by the reading.
    message.on("error", () => {});
  }

  /** Whether the status is one of success. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }
}
