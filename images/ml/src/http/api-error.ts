/** Errors as OpenAI's API has them, so that its clients understand: what a client gets, and the error that carries it there. */
import { finished } from "node:stream/promises";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type * as z from "zod";
import { QueueFull } from "../batcher.ts";
import { WorkerGone } from "../worker/worker.ts";

interface Details {
  readonly param?: string | undefined;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An expected failure of a request: answered, and not logged as an error. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly statusCode: number;
  readonly details: Details;

  constructor(statusCode: number, message: string, details: Details = {}) {
    super(message);
    this.statusCode = statusCode;
    this.details = details;
  }
}

/** 503 with the time after which a client may try again. */
export const unavailable = (message: string): ApiError =>
  new ApiError(503, message, { code: "not_ready", headers: { "retry-after": "2" } });

/** The first problem of a body, with the field it is about. */
export function invalid(error: z.ZodError): ApiError {
  const [issue] = error.issues;
  const param = issue?.path.join(".") || undefined;
  return new ApiError(400, [param, issue?.message].filter(Boolean).join(": "), { param });
}

export async function answerError(
  error: FastifyError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { statusCode, message, details } = toApiError(error);
  if (statusCode === 413) await drain(request);
  if (statusCode >= 500 && statusCode !== 503) request.log.error({ err: error }, "request failed");
  const type = statusCode < 500 ? "invalid_request_error" : "server_error";
  const { param = null, code = null } = details;
  return reply
    .headers(details.headers ?? {})
    .code(statusCode)
    .send({ error: { message, type: statusCode === 429 ? "rate_limit_error" : type, param, code } });
}

/** Milliseconds. */
const DRAIN_LIMIT = 5_000;

/** Reads what the client still sends: if the connection closed under it, the client would see that and not the answer. */
async function drain({ raw }: FastifyRequest): Promise<void> {
  raw.resume();
  const limit = AbortSignal.timeout(DRAIN_LIMIT);
  await finished(raw, { signal: limit, writable: false }).catch(() => {});
}

function toApiError(error: FastifyError | Error): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof WorkerGone) return unavailable(`${error.message}; it is being started again`);
  if (error instanceof QueueFull) return tooBusy(error);
  const statusCode = "statusCode" in error ? (error.statusCode ?? 500) : 500;
  // A bug's message is for the log, not for strangers.
  return statusCode < 500 ? new ApiError(statusCode, error.message) : new ApiError(500, "the log has the cause");
}

function tooBusy({ message, seconds }: QueueFull): ApiError {
  const retryAfter = Math.min(60, Math.max(1, Math.ceil(seconds)));
  return new ApiError(429, message, { code: "queue_full", headers: { "retry-after": String(retryAfter) } });
}
