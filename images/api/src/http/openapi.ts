/** /openapi.json (OpenAPI 3.1), made of the routes' own schemas as they are registered, so that it can't say anything else. */
import type { FastifyInstance, FastifySchema, RouteOptions } from "fastify";
import * as z from "zod";
import { Entry, HistoryPage, ImageRecord, LatestPage } from "../record.ts";
import { Status } from "./probes.ts";
import { Problem } from "./problem.ts";

type Json = Record<string, unknown>;

/** The schemas that have a name in the document; each mention of one becomes a reference. */
const named = { Entry, HistoryPage, ImageRecord, LatestPage, Problem, Status };
const components = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries(named)) components.add(schema, { id });

export function addOpenApi(app: FastifyInstance): void {
  const paths: Record<string, Json> = {};
  app.addHook("onRoute", (route) => {
    const path = route.url.replace(/:(\w+)/g, "{$1}");
    for (const method of [route.method].flat().filter((it) => it !== "HEAD")) {
      (paths[path] ??= {})[method.toLowerCase()] = operation(route);
    }
  });
  app.get("/openapi.json", { schema: { summary: "This document" } }, async () => document(paths));
}

function document(paths: Record<string, Json>): Json {
  return {
    openapi: "3.1.1",
    info: { title: "Waybill API", version: "1", description: "The fleet's record of itself" },
    paths,
    components: {
      schemas: z.toJSONSchema(components, { uri: (id) => `#/components/schemas/${id}` }).schemas,
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

function operation(route: RouteOptions): Json {
  const schema: FastifySchema = route.schema ?? {};
  return {
    summary: schema.summary,
    ...(schema.needsToken && { security: [{ token: [] }] }),
    parameters: [...parameters("path", schema.params), ...parameters("query", schema.querystring)],
    ...(schema.body instanceof z.ZodType && { requestBody: { required: true, content: json(schema.body) } }),
    responses: {
      ...responses(schema.response),
      default: { description: "Problem", content: { "application/problem+json": mention(Problem) } },
    },
  };
}

function parameters(place: "path" | "query", schema: unknown): Json[] {
  if (!(schema instanceof z.ZodObject)) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input" });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: property,
  }));
}

function responses(schemas: unknown): Json {
  const entries = Object.entries((schemas ?? { 200: undefined }) as Record<string, z.ZodType | undefined>);
  return Object.fromEntries(
    entries.map(([status, schema]) => [
      status,
      { description: schema?.description ?? "Done", ...(schema && { content: json(schema) }) },
    ]),
  );
}

function json(schema: z.ZodType): Json {
  return { "application/json": mention(schema) };
}

function mention(schema: z.ZodType): Json {
  const id = components.get(schema)?.id;
  if (!id) throw new Error("a body's schema has no name: add it to `named`");
  return { schema: { $ref: `#/components/schemas/${id}` } };
}
