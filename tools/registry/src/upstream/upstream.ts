// A registry we fetch from. Whatever it does to us (silence, nonsense, refusals) becomes one of four answers: it is not there, we may
// not have it, we ask too often, we can't ask. Only the first is a 404.

import { readFile } from "node:fs/promises";
import { messageOf, WaybillError } from "@waybill/oci/error";
import { anonymous, credentialSource, RegistryClient, RegistryError } from "@waybill/oci/registry";
import type { CredentialSource } from "@waybill/oci/registry";
import { Problem, unavailable } from "../api/problem.ts";
import type { UpstreamConfig } from "../config.ts";
import { Breaker } from "./breaker.ts";
import type { BreakerState } from "./breaker.ts";

const RETRY = { attempts: 2, pauseMs: 100, maxPauseMs: 500 };
const DEFAULT_REST_MS = 30_000;

export interface UpstreamHealth {
  host: string;
  state: BreakerState;
  /** Of the last request that failed; absent where none did since the last success. */
  failure: string | undefined;
  asked: number;
  failed: number;
}

export class Upstream {
  readonly host: string;
  readonly config: UpstreamConfig;
  readonly #client: RegistryClient;
  readonly #breaker = new Breaker();
  /** Set while the upstream's own pause lasts: what it said then. */
  #resting: Problem | undefined;
  #failure: string | undefined;
  #asked = 0;
  #failed = 0;

  constructor(host: string, config: UpstreamConfig, signal: AbortSignal) {
    this.host = host;
    this.config = config;
    const url = config.url === undefined ? undefined : new URL(config.url);
    this.#client = new RegistryClient(url?.host ?? host, {
      ...(url && { plainHttp: url.protocol === "http:" }),
      credentials: credentialsOf(config),
      answerTimeoutMs: config.answerWithin,
      retry: RETRY,
      signal,
    });
  }

  get health(): UpstreamHealth {
    const { host } = this;
    return { host, state: this.#breaker.state, failure: this.#failure, asked: this.#asked, failed: this.#failed };
  }

  /**
   * Asks the upstream something.
   * @throws {Problem} 403, 429, 502 or 503; and 404 where the client throws for what isn't there
   */
  async ask<T>(question: (client: RegistryClient) => Promise<T>): Promise<T> {
    const wait = this.#breaker.admit();
    if (wait > 0) throw this.#resting ?? this.#tooManyFailures(wait);
    this.#resting = undefined;
    this.#asked++;
    try {
      const answer = await question(this.#client);
      this.#breaker.succeed();
      this.#failure = undefined;
      return answer;
    } catch (error) {
      throw this.#judge(error);
    }
  }

  /** A download that began well went wrong later. */
  note(failure: string): void {
    this.#failed++;
    this.#failure = failure;
  }

  #judge(error: unknown): Problem {
    const problem = this.#problemOf(error);
    if (problem.status !== 404) this.note(problem.message);
    if (problem.status === 429) {
      this.#resting = problem;
      this.#breaker.rest(Number(problem.headers["retry-after"]) * 1000);
    } else if (problem.status >= 500) this.#breaker.fail();
    else this.#breaker.succeed();
    return problem;
  }

  #problemOf(error: unknown): Problem {
    const said = messageOf(error);
    if (!(error instanceof WaybillError))
      return unavailable(502, `${this.host} could not be asked (${said})`, {}, error);
    const status = error instanceof RegistryError ? error.status : undefined;
    if (status === 404) return new Problem(404, "NAME_UNKNOWN", `${this.host} has no such thing`);
    if (status === 401 || status === 403) return new Problem(403, "DENIED", `${this.host} refuses: ${said}`, {}, error);
    if (status === 429) return this.#tooOften(error as RegistryError);
    return unavailable(502, `${this.host} could not be asked: ${said}`, {}, error);
  }

  #tooOften(error: RegistryError): Problem {
    const seconds = Math.ceil((error.retryAfterMs ?? DEFAULT_REST_MS) / 1000);
    const headers = { "retry-after": String(Math.max(1, seconds)) };
    return new Problem(429, "TOOMANYREQUESTS", `${this.host} was asked too often`, headers, error);
  }

  #tooManyFailures(waitMs: number): Problem {
    const headers = { "retry-after": String(Math.ceil(waitMs / 1000)) };
    return unavailable(503, `${this.host} does not answer (${this.#failure ?? "it failed before"})`, headers);
  }
}

/** Kept for one host: `RegistryClient` asks for those of the host it talks to, and sends them nowhere else. */
function credentialsOf({ credentials }: UpstreamConfig): CredentialSource {
  if (credentials === "none") return anonymous;
  if (credentials === "docker") return credentialSource();
  const { username, passwordFile } = credentials;
  return async () => {
    const text = await readFile(passwordFile, "utf8").catch((cause: NodeJS.ErrnoException) => {
      throw new WaybillError(`the password can't be read (${cause.code})`, { where: passwordFile, cause });
    });
    return { kind: "basic", username, password: text.replace(/\r?\n$/, "") };
  };
}
