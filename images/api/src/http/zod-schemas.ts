/** Lets Fastify's routes take Zod schemas: they check what comes in, type the handlers, and are what /openapi.json is made of. */
import type { FastifyInstance, FastifyTypeProvider } from "fastify";
import * as z from "zod";
import { invalid } from "./problem.ts";

export interface ZodTypes extends FastifyTypeProvider {
  validator: this["schema"] extends z.ZodType ? z.output<this["schema"]> : unknown;
  serializer: this["schema"] extends z.ZodType ? z.input<this["schema"]> : unknown;
}

declare module "fastify" {
  interface FastifySchema {
    /** For OpenAPI. */
    summary?: string;
    /** Only with a token, when one is configured. For OpenAPI. */
    needsToken?: boolean;
  }
}

/** Answers are typed by their schemas and written as they are: the tests check them, production doesn't pay for it. */
export function useZod(app: FastifyInstance): void {
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => (value) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? { value: parsed.data } : { error: invalid(httpPart ?? "input", parsed.error) };
  });
  app.setSerializerCompiler(() => JSON.stringify);
  // Otherwise Fastify wraps the error's message in the part's name.
  app.setSchemaErrorFormatter((errors) => errors as unknown as Error);
}
