/** The service in this process, on a real port, and a client whose every answer is checked against /openapi.json. */
import { afterAll, beforeAll, expect } from "vitest";
import "./patience.ts";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Database } from "../../src/database/database.ts";
import { buildApp, type AppConfig } from "../../src/http/app.ts";
import { migrate } from "../../src/migrations/migrator.ts";
import type { ImageRecord } from "../../src/record.ts";
import type { NewDatabase } from "./databases.ts";

const defaults: AppConfig = { apiToken: undefined, bodyLimit: 1024 * 1024, logLevel: "silent" };

// oxlint-disable-next-line typescript/no-explicit-any -- an answer's shape is what the tests assert
export type Answer = { status: number; headers: Headers; body: any };

type Check = (path: string, method: string, status: number, body: unknown) => void;

export class Api {
  readonly database: Database;
  readonly #app: FastifyInstance;
  readonly #url: string;
  readonly #check: Check;

  private constructor(database: Database, app: FastifyInstance, check: Check) {
    this.database = database;
    this.#app = app;
    this.#url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    this.#check = check;
  }

  static async start(database: Database, config: Partial<AppConfig> = {}): Promise<Api> {
    const app = await buildApp({ ...defaults, ...config }, database);
    await app.listen({ host: "127.0.0.1", port: 0 });
    const document = (await app.inject("/openapi.json")).json();
    return new Api(database, app, checkAgainst(document));
  }

  async close(): Promise<void> {
    await this.#app.close();
    await this.database.close();
  }

  async send(
    method: string,
    path: string,
    more: { headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> {
    const response = await fetch(this.#url + path, { method, ...more });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    const body = isJson ? JSON.parse(text) : text;
    if (isJson) this.#check(path, method, response.status, body);
    return { status: response.status, headers: response.headers, body };
  }

  get(path: string): Promise<Answer> {
    return this.send("GET", path);
  }

  put(
    record: ImageRecord,
    more: { path?: string; headers?: Record<string, string>; body?: unknown } = {},
  ): Promise<Answer> {
    return this.send("PUT", more.path ?? `/v1/images/${record.name}/${record.digest}`, {
      headers: { "content-type": "application/json", ...more.headers },
      body: typeof more.body === "string" ? more.body : JSON.stringify(more.body ?? record),
    });
  }
}

/** One service for a describe's tests: they keep apart by their images' names. */
export function sharedApi(newDatabase: NewDatabase, config?: Partial<AppConfig>): { readonly current: Api } {
  const holder = {} as { current: Api };
  beforeAll(async () => {
    const database = await newDatabase();
    await migrate(database);
    holder.current = await Api.start(database, config);
  }, 120_000);
  afterAll(() => holder.current.close());
  return holder;
}

// oxlint-disable-next-line typescript/no-explicit-any -- OpenAPI's own shape is checked elsewhere
function checkAgainst(document: any): Check {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, "openapi");
  const byPlaceholders = Object.keys(document.paths).sort((a, b) => a.split("{").length - b.split("{").length);
  const routes = byPlaceholders.map((path) => [path, new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`)] as const);
  return (path, method, status, body) => {
    const [route] = routes.find(([, pattern]) => pattern.test(path.split("?")[0]!)) ?? [];
    const responses = document.paths[route ?? ""]?.[method.toLowerCase()]?.responses;
    const content = (responses?.[status] ?? responses?.default ?? { content: { problem: { schema: problem } } })
      .content;
    const reference = Object.values<{ schema?: { $ref: string } }>(content ?? {})[0]?.schema?.$ref;
    if (!reference) return;
    const valid = ajv.validate({ $ref: `openapi${reference}` }, body);
    expect(valid, `${method} ${path} ${status}: ${ajv.errorsText()}`).toBe(true);
  };
}

const problem = { $ref: "#/components/schemas/Problem" };
