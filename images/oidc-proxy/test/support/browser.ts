// As much of a browser as signing in takes: cookies, redirects, and the provider's own login and consent forms.

import { request } from "./https.ts";

const MOST_STEPS = 12;

export class Browser {
  readonly #ca: string;
  readonly #cookies = new Map<string, string>();

  constructor(ca: string) {
    this.#ca = ca;
  }

  /** Follows redirects from `url`, sends each form met as `login`, and gives the first address that `arrived` accepts. */
  async follow(url: URL, login: string, arrived: (at: URL) => boolean): Promise<URL> {
    let at = url;
    let form: string | undefined;
    for (let step = 0; step < MOST_STEPS; step++) {
      const answer = await this.#load(at, form);
      form = undefined;
      if (answer.location === undefined) {
        form = fillIn(answer.body, login);
      } else {
        at = new URL(answer.location, at);
        if (arrived(at)) return at;
      }
    }
    throw new Error(`signing in went in circles, last at ${at.href}`);
  }

  async #load(url: URL, form: string | undefined): Promise<{ location: string | undefined; body: string }> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await request(this.#ca, url, {
      ...(form === undefined ? {} : { method: "POST", body: form }),
      headers: { cookie, ...(form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }) },
    });
    if (answer.status >= 400) throw new Error(`${url.href}: ${answer.status} ${answer.body}`);
    for (const line of answer.headers["set-cookie"] ?? []) this.#keep(line);
    return { location: answer.headers.location, body: answer.body };
  }

  #keep(setCookie: string): void {
    const [pair = ""] = setCookie.split(";");
    const equals = pair.indexOf("=");
    this.#cookies.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
}

function fillIn(page: string, login: string): string {
  const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
  if (prompt === undefined) throw new Error(`a page without a prompt: ${page.slice(0, 200)}`);
  return new URLSearchParams(prompt === "login" ? { prompt, login, password: "any" } : { prompt }).toString();
}
