// Everything that can go wrong between us and a registry, as one type: the spec's error codes, a URL without secrets, a bounded
// body, and whether trying again can help (distribution-spec v1.1, "Error Codes").

import { z } from "zod";
import { messageOf, WaybillError } from "../error.ts";
import type { ErrorContext } from "../error.ts";
import { normaliseRegistry } from "../reference.ts";
import type { Answer, Headers } from "./answer.ts";
import { readBounded } from "./body.ts";

/** How much of an error's body is read; the rest is not worth the memory. */
const MAX_ERROR_BYTES = 16 * 1024;
/** What an error says is not worth a long wait either. */
const ERROR_SILENCE_MS = 2_000;
const MAX_MESSAGE_LENGTH = 300;

const TEMPORARY_STATUS = new Set([408, 429, 500, 502, 503, 504]);

export interface RegistryProblem extends ErrorContext {
  /** HTTP status; absent where no answer came. */
  status?: number | undefined;
  /** The spec's codes, such as MANIFEST_UNKNOWN. */
  codes?: readonly string[] | undefined;
  /** True if the same request may succeed later. */
  temporary?: boolean | undefined;
  /** How long the registry asks us to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
}

export class RegistryError extends WaybillError {
  override name = "RegistryError";
  readonly status: number | undefined;
  readonly codes: readonly string[];
  readonly temporary: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(what: string, { status, codes = [], temporary = false, retryAfterMs, ...context }: RegistryProblem) {
    super(what, context);
    this.status = status;
    this.codes = codes;
    this.temporary = temporary;
    this.retryAfterMs = retryAfterMs;
  }

  /** The same failure with better advice. */
  withMend(mend: string): RegistryError {
    const { what, where, status, codes, temporary, retryAfterMs } = this;
    return new RegistryError(what, { where, mend, status, codes, temporary, retryAfterMs, cause: this });
  }
}

const bodySchema = z.object({ errors: z.array(z.object({ code: z.string(), message: z.string().optional() })) });

/** The error an unwanted answer means. Reads its body. */
export async function refusal(method: string, url: URL, response: Answer): Promise<RegistryError> {
  const text = (await readBounded(response, MAX_ERROR_BYTES, ERROR_SILENCE_MS).catch(() => Buffer.alloc(0))).toString(
    "utf8",
  );
  // Where redirects led; storage elsewhere is no matter of logging in.
  const place = response.url;
  const errors = parseErrors(text);
  const codes = errors.map(({ code }) => code);
  const said = errors.map(({ code, message }) => (message ? `${code} ${message}` : code)).join("; ");
  const detail = said === "" ? "" : ` (${said.slice(0, MAX_MESSAGE_LENGTH)})`;
  return new RegistryError(`the registry answered ${response.status}${detail}`, {
    where: `${method} ${redactUrl(place)}`,
    mend: place.host === url.host ? mendOf(response.status, normaliseRegistry(url.host)) : undefined,
    status: response.status,
    codes,
    temporary: TEMPORARY_STATUS.has(response.status) || codes.includes("TOOMANYREQUESTS"),
    retryAfterMs: retryAfterOf(response.headers),
  });
}

/** The error a connection means that failed before or while an answer came. */
export function disconnection(method: string, url: URL, error: unknown): RegistryError {
  const cause = innermost(error);
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? "";
  const mend = LASTING_FAULTS.find(({ codes }) => codes.test(code))?.mend;
  const where = `${method} ${redactUrl(url)}`;
  const what = `no answer from the registry (${messageOf(cause) || code})`;
  return new RegistryError(what, { where, mend, temporary: mend === undefined, cause: error });
}

/**
 * The error it is when nothing came at all.
 * @param patience how long we waited, in milliseconds
 * @param temporary true in the middle of an answer: asking again has a chance there
 */
export function silence(method: string, url: URL, patience: number, temporary = false): RegistryError {
  return new RegistryError(`no answer from the registry within ${patience} ms`, {
    where: `${method} ${redactUrl(url)}`,
    temporary,
  });
}

/** Codes of Node and OpenSSL for what trying again will not change. */
const LASTING_FAULTS = [
  {
    codes: /CERT|SIGNATURE|ISSUER|ALTNAME/,
    mend: "set NODE_EXTRA_CA_CERTS to the file of the CA that signed the registry's certificate",
  },
  {
    codes: /SSL_WRONG_VERSION|SSL_PACKET_LENGTH/,
    mend: "the registry speaks plain http: say so with the plain http option",
  },
  { codes: /^ENOTFOUND$/, mend: "check the registry's name" },
];

/** A URL fit for logs: no user information, and query values (signed links carry secrets there) only where they are ours. */
export function redactUrl(url: URL): string {
  const shown = new URL(url);
  shown.username = "";
  shown.password = "";
  for (const key of new Set(shown.searchParams.keys())) {
    if (!PUBLIC_PARAMETERS.has(key)) shown.searchParams.set(key, "REDACTED");
  }
  // Digests and scopes read better as they are written.
  return shown.href.replaceAll("%3A", ":").replaceAll("%2F", "/");
}

const PUBLIC_PARAMETERS = new Set(["digest", "mount", "from", "n", "last", "service", "scope"]);

function parseErrors(text: string): { code: string; message?: string | undefined }[] {
  try {
    return bodySchema.parse(JSON.parse(text)).errors;
  } catch {
    return []; // Proxies in front of registries answer in HTML.
  }
}

function mendOf(status: number, host: string): string | undefined {
  if (status === 401) return `log in with \`docker login ${host}\``;
  if (status === 403) return `ask for the right to do this, or log in as someone else with \`docker login ${host}\``;
  if (status === 429) return "wait, or log in: registries allow more to known users";
  return undefined;
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function retryAfterOf(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** What happened may be wrapped, sometimes twice. */
function innermost(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? error : innermost(cause);
}
