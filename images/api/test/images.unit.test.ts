import { describe, expect, it } from "vitest";
import type { ImageRecord } from "../src/record.ts";
import { sharedApi } from "./support/api.ts";
import { onBothDatabases } from "./support/databases.ts";
import { digestOf, newName, recordOf } from "./support/records.ts";

onBothDatabases("the API", (newDatabase) => {
  const api = sharedApi(newDatabase);

  describe("keeping records", () => {
    it("answers 201 the first time and 200 the next, with the same entry", async () => {
      const record = recordOf(newName());
      const first = await api.current.put(record);
      const second = await api.current.put(record);
      expect([first.status, second.status]).toEqual([201, 200]);
      expect(first.body.record).toEqual(record);
      expect(second.body).toEqual(first.body);
    });

    it("names the place where the record can be read", async () => {
      const answer = await api.current.put(recordOf(newName()));
      const read = await api.current.get(answer.headers.get("location")!);
      expect(read.body).toEqual(answer.body);
    });

    it("takes the same record with its keys in another order as the same", async () => {
      const record = recordOf(newName());
      await api.current.put(record);
      const reordered = Object.fromEntries(Object.entries(record).reverse());
      expect((await api.current.put(record, { body: reordered })).status).toBe(200);
    });

    it("answers 409 for another content under a known digest, and keeps the first", async () => {
      const record = recordOf(newName());
      await api.current.put(record);
      const answer = await api.current.put({ ...record, buildArgs: { VERSION: "2" } });
      expect(answer.status).toBe(409);
      expect((await api.current.get(`/v1/images/${record.name}`)).body.record.buildArgs).toEqual({ VERSION: "1" });
    });

    it("creates once when many send the same at the same time", async () => {
      const record = recordOf(newName());
      const answers = await Promise.all(Array.from({ length: 20 }, () => api.current.put(record)));
      const statuses = answers.map((answer) => answer.status).sort((a, b) => a - b);
      expect(statuses).toEqual([...Array(19).fill(200), 201]);
    });

    it("lets one of two different contents win when both come at the same time", async () => {
      const record = recordOf(newName());
      const answers = await Promise.all([api.current.put(record), api.current.put({ ...record, buildArgs: {} })]);
      expect(answers.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([201, 409]);
    });

    it("takes a digest in the path with its colon escaped", async () => {
      const record = recordOf(newName());
      const path = `/v1/images/${record.name}/${encodeURIComponent(record.digest)}`;
      expect((await api.current.put(record, { path })).status).toBe(201);
    });

    it("keeps text as it came", async () => {
      const record = recordOf(newName());
      const buildArgs = { odd: `"\\\u0001 ☃ 🚢 '; DROP TABLE records; --`, __proto__x: "1" };
      const answer = await api.current.put({ ...record, buildArgs });
      expect(answer.body.record.buildArgs).toEqual(buildArgs);
    });
  });

  describe("refusing what is no record", () => {
    const refused: [string, (record: ImageRecord) => unknown, string][] = [
      ["a missing field", (record) => ({ ...record, platforms: undefined }), "/platforms"],
      ["another schema version", (record) => ({ ...record, schemaVersion: 2 }), "/schemaVersion"],
      ["a field nobody knows", (record) => ({ ...record, created: "now" }), ""],
      [
        "a negative size",
        (record) => ({ ...record, platforms: [{ ...record.platforms[0], size: -1 }] }),
        "/platforms/0/size",
      ],
      [
        "a bad digest",
        (record) => ({ ...record, bases: [{ reference: "x", digest: "sha256:12" }] }),
        "/bases/0/digest",
      ],
      ["text that a database can't hold", (record) => ({ ...record, buildArgs: { a: "\0" } }), "/buildArgs/a"],
      ["half a surrogate pair", (record) => ({ ...record, buildArgs: { a: "\ud800" } }), "/buildArgs/a"],
      ["a list", () => [], ""],
    ];

    it.each(refused)("answers 422 for %s and points at it", async (_what, spoil, pointer) => {
      const record = recordOf(newName());
      const answer = await api.current.put(record, { body: spoil(record) });
      expect(answer.status).toBe(422);
      expect(answer.headers.get("content-type")).toMatch("application/problem+json");
      expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
      expect((await api.current.get(`/v1/images/${record.name}`)).status).toBe(404);
    });

    it("answers 422 when the path names another image or digest, for both at once", async () => {
      const answer = await api.current.put(recordOf(newName()), { path: `/v1/images/other/${digestOf("other")}` });
      expect(answer.status).toBe(422);
      expect(answer.body.errors).toHaveLength(2);
    });

    it.each([
      ["JSON that ends too early", { body: '{"name":' }, 400],
      ["an attempt at the prototype", { body: '{"__proto__":{"admin":true}}' }, 400],
      ["another media type", { headers: { "content-type": "text/plain" }, body: "hello" }, 415],
      ["a body over the limit", { body: JSON.stringify("x".repeat(1024 * 1024)) }, 413],
      ["a name that is none", { path: `/v1/images/..%2F..%2Fetc/${digestOf("x")}` }, 400],
      ["a digest of another algorithm", { path: `/v1/images/api/sha512:${"a".repeat(128)}` }, 400],
      ["a path that is far too long", { path: `/v1/images/api/sha256:${"a".repeat(300)}` }, 414],
      ["a path that is no UTF-8", { path: `/v1/images/%ff/${digestOf("x")}` }, 400],
    ])("refuses %s", async (_what, more, status) => {
      const answer = await api.current.put(recordOf("api"), more);
      expect(answer.status).toBe(status);
      expect(answer.body).toMatchObject({ status, type: "about:blank" });
    });
  });

  describe("reading records", () => {
    /** Follows `next` to the end. */
    async function pages(path: string, key: "images" | "records"): Promise<{ digest: string; name: string }[][]> {
      const found = [];
      for (let next: string | null = ""; next !== null;) {
        const page = await api.current.get(`${path}${next && `&cursor=${next}`}`);
        found.push(page.body[key]);
        next = page.body.next;
      }
      return found;
    }

    it("tells an image's history, newest first, in pages that miss and repeat nothing", async () => {
      const name = newName();
      const records = Array.from({ length: 7 }, () => recordOf(name));
      for (const record of records) await api.current.put(record);
      const found = await pages(`/v1/images/${name}/history?limit=3`, "records");
      expect(found.map((page) => page.length)).toEqual([3, 3, 1]);
      expect(found.flat().map((entry) => entry.digest)).toEqual(records.map((record) => record.digest).reverse());
    });

    it("goes on where a page ended though new records arrived meanwhile", async () => {
      const name = newName();
      for (let i = 0; i < 4; i++) await api.current.put(recordOf(name, `${i}`));
      const first = await api.current.get(`/v1/images/${name}/history?limit=2`);
      await api.current.put(recordOf(name, "late"));
      const second = await api.current.get(`/v1/images/${name}/history?limit=2&cursor=${first.body.next}`);
      expect(second.body.records.map((entry: ImageRecord) => entry.digest)).toEqual(
        [1, 0].map((i) => recordOf(name, `${i}`).digest),
      );
      expect(second.body.next).toBeNull();
    });

    it("lists the latest of each image, by name, in pages", async () => {
      const names = ["zz-c", "zz-a", "zz-b"];
      for (const name of names) for (const build of ["old", "new"]) await api.current.put(recordOf(name, build));
      const found = (await pages("/v1/images?limit=2", "images"))
        .flat()
        .filter((entry) => entry.name.startsWith("zz-"));
      expect(found.map((entry) => entry.digest)).toEqual(
        ["zz-a", "zz-b", "zz-c"].map((name) => recordOf(name, "new").digest),
      );
    });

    it("gives an unknown image an empty history and no latest", async () => {
      expect((await api.current.get("/v1/images/nobody/history")).body).toEqual({ records: [], next: null });
      expect((await api.current.get("/v1/images/nobody")).status).toBe(404);
      expect((await api.current.get(`/v1/images/nobody/${digestOf("x")}`)).status).toBe(404);
    });

    it.each(["limit=0", "limit=101", "limit=ten", "limit=", "cursor=-1", "cursor=99999999999999999999", "page=2"])(
      "answers 400 for history?%s",
      async (query) => expect((await api.current.get(`/v1/images/api/history?${query}`)).status).toBe(400),
    );
  });
});
