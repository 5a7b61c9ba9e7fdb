// One HTTP exchange with a registry, with all that may come between question and answer: authentication, redirects, pauses,
// broken connections. Credentials never leave the registry's own origin.

import type { Readable } from "node:stream";
import type { Answer, Headers } from "./answer.ts";
import { Authorizer } from "./auth.ts";
import { discardBody } from "./body.ts";
import type { CredentialSource } from "./credentials.ts";
import { disconnection, redactUrl, refusal, RegistryError, silence } from "./error.ts";
import { resolveLocation } from "./location.ts";
import { DEFAULT_RETRY, retrying } from "./retry.ts";
import type { RetryOptions } from "./retry.ts";
import { deleteScope } from "./scope.ts";
import { send } from "./send.ts";
import type { Send } from "./send.ts";

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const DEFAULT_ANSWER_TIMEOUT_MS = 30_000;

export interface TransportOptions {
  credentials: CredentialSource;
  retry?: RetryOptions | undefined;
  /**
   * How long a registry may take to begin an answer, in milliseconds. Uploads are exempt: their answer comes after the bytes. Silence is not asked again: who waited this long wants to know.
   */
  answerTimeoutMs?: number | undefined;
  /** Ends whatever is under way. */
  signal?: AbortSignal | undefined;
  /** Laid over those of every request. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Called when the registry has begun an answer, whatever it says. */
  onAnswer?: ((headers: Headers) => void) | undefined;
  /** Where requests go, if not over the network. */
  send?: Send | undefined;
}

/** A request as it goes out. */
export interface Outgoing {
  method: string;
  url: URL;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** A body from the disk; opened anew for each try. `size` is in bytes. */
  stream?: { open: () => Readable; size: number };
  /** Statuses that are answers, beside 2xx. */
  accept?: readonly number[];
  /** Ends this exchange alone, the answer's body included. */
  signal?: AbortSignal;
}

export interface RegistryRequest extends Outgoing {
  /** What a token must allow, e.g. "repository:team/api:pull". */
  scopes: readonly string[];
  /** Set for requests that can't be repeated as they are: an upload session is spent after one try. */
  once?: boolean;
}

export class Transport {
  readonly #origin: URL;
  readonly #options: TransportOptions;
  readonly #authorizer: Authorizer;

  /** @param registry as references name it, @param origin where it answers */
  constructor(registry: string, origin: URL, options: TransportOptions) {
    this.#origin = origin;
    this.#options = options;
    this.#authorizer = new Authorizer(registry, origin, options.credentials, (question) =>
      this.retrying(async () => expectSuccess(question, await this.#send(question.url, question))),
    );
  }

  /** @throws {RegistryError} any answer that was not accepted */
  async request(request: RegistryRequest): Promise<Answer> {
    const ask = async (): Promise<Answer> => expectSuccess(request, await this.#authorized(request));
    return request.once ? await ask() : await this.retrying(ask);
  }

  /** Deletes what is at a URL of the repository. @returns false where there was nothing */
  async delete(repository: string, url: URL): Promise<boolean> {
    const response = await this.request({ method: "DELETE", url, scopes: deleteScope(repository), accept: [404] });
    discardBody(response);
    return response.status !== 404;
  }

  /** Runs an action, of one request or several, again while its failures are temporary. */
  async retrying<T>(action: () => Promise<T>): Promise<T> {
    return await retrying(action, this.#options.retry ?? DEFAULT_RETRY, this.#options.signal);
  }

  /** Throws the signal's reason if the work was called off. */
  throwIfAborted(): void {
    this.#options.signal?.throwIfAborted();
  }

  /** Answers one challenge: a second 401 is the registry's last word. */
  async #authorized(request: RegistryRequest): Promise<Answer> {
    const { scopes, url } = request;
    if (!this.#isOwn(url)) return await this.#redirected(request);
    const offered = await this.#authorizer.header(scopes);
    const response = await this.#redirected(request, offered);
    if (response.status !== 401 || !(await this.#authorizer.learn(response, scopes, offered))) return response;
    const better = await this.#authorizer.header(scopes);
    if (better === undefined || better === offered) return response;
    discardBody(response);
    return await this.#redirected(request, better);
  }

  /** Follows redirects of reads: registries send their readers to blob storage elsewhere, which gets no Authorization. */
  async #redirected(request: RegistryRequest, authorization?: string): Promise<Answer> {
    let { url } = request;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const response = await this.#send(url, request, this.#isOwn(url) ? authorization : undefined);
      const location = response.headers.get("location");
      if (!REDIRECTS.has(response.status) || location === null || !isRead(request.method)) return response;
      discardBody(response);
      url = resolveLocation(location, url);
    }
    throw new RegistryError(`more than ${MAX_REDIRECTS} redirects`, { where: redactUrl(request.url) });
  }

  async #send(url: URL, request: Outgoing, authorization?: string): Promise<Answer> {
    const patience = this.#options.answerTimeoutMs ?? DEFAULT_ANSWER_TIMEOUT_MS;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), patience);
    if (request.stream) clearTimeout(timer);
    const signals = [late.signal, this.#options.signal, request.signal].filter((each) => each !== undefined);
    const signal = AbortSignal.any(signals);
    const { method } = request;
    try {
      const headers = { ...headersOf(request, authorization), ...(this.#isOwn(url) && this.#options.headers) };
      const { body, stream } = request;
      const question = { method, headers, signal, ...(stream ? { stream: stream.open() } : { body }) };
      const response = await (this.#options.send ?? send)(url, question);
      this.#options.onAnswer?.(response.headers);
      return response;
    } catch (error) {
      this.throwIfAborted();
      request.signal?.throwIfAborted();
      throw late.signal.aborted ? silence(method, url, patience) : disconnection(method, url, error);
    } finally {
      clearTimeout(timer);
    }
  }

  #isOwn(url: URL): boolean {
    return url.origin === this.#origin.origin;
  }
}

async function expectSuccess({ method, url, accept = [] }: Outgoing, response: Answer): Promise<Answer> {
  if (response.ok || accept.includes(response.status)) return response;
  throw await refusal(method, url, response);
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function headersOf({ headers, stream }: Outgoing, authorization: string | undefined): Record<string, string> {
  return {
    "user-agent": "waybill",
    // Blobs are named by the bytes as they are: no one may compress them on the way.
    "accept-encoding": "identity",
    ...headers,
    ...(stream && { "content-length": String(stream.size) }),
    ...(authorization && { authorization }),
  };
}
