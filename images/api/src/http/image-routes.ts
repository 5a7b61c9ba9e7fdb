/** /v1/images: the records, written once and read in pages. */
import type { FastifyInstance, FastifyReply } from "fastify";
import * as z from "zod";
import type { ImageStore, Outcome } from "../image-store.ts";
import { Digest, Entry, HistoryPage, ImageName, ImageRecord, LatestPage } from "../record.ts";
import { HttpProblem } from "./problem.ts";
import { tokenCheck } from "./write-token.ts";
import type { ZodTypes } from "./zod-schemas.ts";

export interface ImageRoutesOptions {
  readonly store: ImageStore;
  readonly apiToken: string | undefined;
  /** Counts what became of the records that were sent. */
  readonly recorded: (result: Outcome["result"]) => void;
}

const limit = z.coerce.number<string>().int().min(1).max(100).default(50).describe("Most items in a page");
const Named = z.object({ name: ImageName });
const Addressed = z.object({ name: ImageName, digest: Digest });
const LatestQuery = z.strictObject({ limit, cursor: ImageName.optional() });
const HistoryQuery = z.strictObject({
  limit,
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,17}$/)
    .optional(),
});

export async function imageRoutes(instance: FastifyInstance, options: ImageRoutesOptions): Promise<void> {
  const app = instance.withTypeProvider<ZodTypes>();
  const { store, recorded } = options;
  const needsToken = options.apiToken !== undefined;

  app.put(
    "/v1/images/:name/:digest",
    {
      onRequest: tokenCheck(options.apiToken),
      schema: {
        summary: "Keep a record",
        needsToken,
        params: Addressed,
        body: ImageRecord,
        response: { 200: Entry, 201: Entry },
      },
    },
    async (request, reply) => {
      agree(request.params, request.body);
      const outcome = await store.put(request.body);
      recorded(outcome.result);
      return answer(outcome, reply);
    },
  );

  app.get(
    "/v1/images",
    { schema: { summary: "The latest record of each image", querystring: LatestQuery, response: { 200: LatestPage } } },
    async (request) => {
      const page = await store.latestOfEach(request.query.limit, request.query.cursor);
      return { images: page.items, next: page.next };
    },
  );

  app.get(
    "/v1/images/:name",
    { schema: { summary: "The latest record of an image", params: Named, response: { 200: Entry } } },
    async (request) => found(await store.latest(request.params.name), request.params.name),
  );

  app.get(
    "/v1/images/:name/history",
    {
      schema: {
        summary: "An image's records, newest first",
        params: Named,
        querystring: HistoryQuery,
        response: { 200: HistoryPage },
      },
    },
    async (request) => {
      const page = await store.history(request.params.name, request.query.limit, request.query.cursor);
      return { records: page.items, next: page.next };
    },
  );

  app.get(
    "/v1/images/:name/:digest",
    { schema: { summary: "One record", params: Addressed, response: { 200: Entry } } },
    async (request) => {
      const { name, digest } = request.params;
      return found(await store.get(name, digest), `${name}@${digest}`);
    },
  );
}

function agree(path: { name: string; digest: string }, record: ImageRecord): void {
  const errors = (["name", "digest"] as const)
    .filter((key) => path[key] !== record[key])
    .map((key) => ({ pointer: `/${key}`, detail: `is ${record[key]}, but the path says ${path[key]}` }));
  if (errors.length > 0) throw new HttpProblem(422, "the record and the path disagree", { errors });
}

function answer(outcome: Outcome, reply: FastifyReply): Entry {
  if (outcome.result === "conflict")
    throw new HttpProblem(409, "this digest is known with another content, and a digest has only one");
  const { entry, result } = outcome;
  reply.code(result === "created" ? 201 : 200).header("location", `/v1/images/${entry.name}/${entry.digest}`);
  return entry;
}

function found(entry: Entry | undefined, what: string): Entry {
  if (!entry) throw new HttpProblem(404, `no record of ${what}`);
  return entry;
}
