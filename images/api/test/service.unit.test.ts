import { Validator } from "@seriousme/openapi-schema-validator";
import { recordSchema } from "@waybill/oci";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { openPGlite } from "../src/database/pglite.ts";
import { ImageRecord } from "../src/record.ts";
import { sharedApi } from "./support/api.ts";
import { pgliteFolder } from "./support/pglite-folder.ts";
import { newName, recordOf } from "./support/records.ts";

const token = "correct-horse-battery-staple";

describe("the service", () => {
  const api = sharedApi(async () => openPGlite(await pgliteFolder()), { apiToken: token, bodyLimit: 10_000 });

  it("asks writers for the token", async () => {
    const record = recordOf(newName());
    const none = await api.current.put(record);
    expect([none.status, none.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    for (const wrong of [`Bearer ${token}x`, "Bearer x", `Basic ${token}`, "Bearer"]) {
      expect((await api.current.put(record, { headers: { authorization: wrong } })).status).toBe(401);
    }
    expect((await api.current.get(`/v1/images/${record.name}`)).status).toBe(404);
    expect((await api.current.put(record, { headers: { authorization: `Bearer ${token}` } })).status).toBe(201);
  });

  it("refuses a stranger before it reads what he sends", async () => {
    const answer = await api.current.put(recordOf(newName()), { body: "x".repeat(100) });
    expect(answer.status).toBe(401);
  });

  it("takes a proxy's request id and makes one where there is none, or none to trust", async () => {
    const given = await api.current.send("GET", "/healthz", { headers: { "x-request-id": "abc-123" } });
    expect(given.headers.get("x-request-id")).toBe("abc-123");
    const forged = await api.current.send("GET", "/v1/images/nobody", { headers: { "x-request-id": 'a"b c' } });
    expect(forged.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(forged.body.instance).toBe(`urn:waybill:request:${forged.headers.get("x-request-id")}`);
  });

  it("answers an unknown path with a problem", async () => {
    const answer = await api.current.send("DELETE", "/v1/images/api");
    expect(answer.status).toBe(404);
    expect(answer.body.detail).toContain("/openapi.json");
  });

  it("counts requests by route, not by path, and records by outcome", async () => {
    const record = recordOf(newName());
    await api.current.put(record, { headers: { authorization: `Bearer ${token}` } });
    await api.current.get(`/v1/images/${record.name}`);
    const { body, headers } = await api.current.get("/metrics");
    expect(headers.get("content-type")).toMatch(/^text\/plain; version=0.0.4/);
    expect(body).toMatch(
      /http_request_duration_seconds_count\{method="GET",route="\/v1\/images\/:name",status="200"\} \d/,
    );
    expect(body).toMatch(/waybill_records_total\{result="created"\} \d/);
    expect(body).toContain("process_cpu_seconds_total");
    expect(body).not.toContain(record.name);
  });

  it("describes itself in valid OpenAPI 3.1, every route", async () => {
    const { body } = await api.current.get("/openapi.json");
    const result = await new Validator().validate(structuredClone(body));
    expect(result).toMatchObject({ valid: true });
    expect(body.openapi).toMatch(/^3\.1\./);
    expect(Object.keys(body.paths).sort()).toEqual([
      "/healthz",
      "/metrics",
      "/openapi.json",
      "/readyz",
      "/v1/images",
      "/v1/images/{name}",
      "/v1/images/{name}/history",
      "/v1/images/{name}/{digest}",
    ]);
    expect(Object.keys(body.paths["/v1/images/{name}/{digest}"]).sort()).toEqual(["get", "put"]);
    expect(body.paths["/v1/images/{name}/{digest}"].put.security).toEqual([{ token: [] }]);
  });
});

describe("the record's schema", () => {
  /** Fields, and which of them are required; how strictly their texts are bounded is the service's own. */
  function shape(schema: z.core.JSONSchema.JSONSchema): unknown {
    if (schema.properties) {
      const fields = Object.entries(schema.properties).map(([key, field]) => [key, shape(field as typeof schema)]);
      return {
        fields: Object.fromEntries(fields),
        required: schema.required,
        closed: schema.additionalProperties === false,
      };
    }
    if (schema.items) return [shape(schema.items as typeof schema)];
    if (typeof schema.additionalProperties === "object") return { any: shape(schema.additionalProperties) };
    return schema.const ?? schema.type;
  }

  it("has the fields of image.json, as the builder writes it", () => {
    const inline = { reused: "inline" } as const;
    expect(shape(z.toJSONSchema(ImageRecord, inline))).toEqual(shape(z.toJSONSchema(recordSchema, inline)));
  });
});
