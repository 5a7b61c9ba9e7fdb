/** Errors as problem details (RFC 9457): what a client gets, and the error that carries it through the handlers. */
import { STATUS_CODES } from "node:http";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import * as z from "zod";
import { Unavailable } from "../database/database.ts";

export const Problem = z
  .strictObject({
    type: z.string().describe("A URI that names the kind of problem"),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    instance: z.string().describe("The request's id, which the log has too"),
    errors: z
      .array(z.strictObject({ pointer: z.string().describe("JSON Pointer (RFC 6901)"), detail: z.string() }))
      .optional(),
  })
  .describe("Problem details (RFC 9457)");
export type Problem = z.infer<typeof Problem>;

/** An expected failure of a request: answered, and not logged as an error. */
export class HttpProblem extends Error {
  override name = "HttpProblem";
  readonly statusCode: number;
  readonly errors: Problem["errors"];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    statusCode: number,
    detail: string,
    more: { errors?: Problem["errors"]; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.statusCode = statusCode;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
  }
}

/** A value that doesn't fit its schema: 422 for the body, whose JSON was well formed, 400 for the rest of the request. */
export function invalid(part: string, error: z.ZodError): HttpProblem {
  const errors = error.issues.map((issue) => ({ pointer: pointer(issue.path), detail: issue.message }));
  return new HttpProblem(part === "body" ? 422 : 400, `the request's ${part} does not fit its schema`, { errors });
}

export function answerError(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toHttpProblem(error);
  if (problem.statusCode >= 500) request.log.error({ err: error }, "request failed");
  return reply
    .headers(problem.headers)
    .code(problem.statusCode)
    .type("application/problem+json")
    .send(body(problem, request));
}

function toHttpProblem(error: FastifyError | Error): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof Unavailable)
    return new HttpProblem(503, "the database is not available", { headers: { "retry-after": "5" } });
  const statusCode = "statusCode" in error ? (error.statusCode ?? 500) : 500;
  // A bug's message is for the log, not for strangers.
  return statusCode < 500 ? new HttpProblem(statusCode, error.message) : new HttpProblem(500, "the log has the cause");
}

function body(problem: HttpProblem, request: FastifyRequest): Problem {
  return {
    type: "about:blank", // RFC 9457, section 4.2.1: the status says it all
    title: STATUS_CODES[problem.statusCode] ?? "Error",
    status: problem.statusCode,
    detail: problem.message,
    instance: `urn:waybill:request:${request.id}`,
    ...(problem.errors && { errors: problem.errors }),
  };
}

function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
