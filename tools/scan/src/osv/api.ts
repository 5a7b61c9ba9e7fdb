// OSV's HTTP interface: which advisories are about a package, a thousand packages a request, then each advisory, once for each state
// that it was ever in (https://google.github.io/osv.dev/post-v1-querybatch/).

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { defaultCacheDir } from "@waybill/lock/cache";
import { prepareNetwork } from "@waybill/oci/network";
import { WaybillError, check, mapLimit, messageOf, parseJson, writeFileAtomic } from "@waybill/oci";
import { z } from "zod";
import type { Subject } from "../subject.ts";
import { type Advisory, advisory } from "./advisory.ts";
import type { AdvisorySource } from "./source.ts";

/** The service's own limit. */
const BATCH = 1000;
const PARALLEL = 8;
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const ANSWER_MS = 60_000;
const MEND = "try later, or set WAYBILL_OSV_URL to a mirror of it or to a folder with the files of OSV's all.zip";

const batchAnswer = z.looseObject({
  results: z.array(
    z
      .looseObject({
        vulns: z.array(z.looseObject({ id: z.string(), modified: z.string().default("") })).nullish(),
        next_page_token: z.string().nullish(),
      })
      .nullable(),
  ),
});

interface Query {
  subject: Subject;
  page?: string;
}

export class OsvApi implements AdvisorySource {
  readonly name: string;
  readonly #cache: string;

  /** @param url without a slash at the end. @param cache a folder that is made where it is missing */
  constructor(url: string, cache = join(defaultCacheDir(), "osv")) {
    this.name = url;
    this.#cache = cache;
  }

  async advisoriesOn(subjects: readonly Subject[]): Promise<Advisory[]> {
    const found = new Map<string, string>();
    const queries: Query[] = subjects.map((subject) => ({ subject }));
    while (queries.length > 0) queries.push(...(await this.#ask(queries.splice(0, BATCH), found)));
    return await mapLimit([...found], PARALLEL, ([id, modified]) => this.#advisory(id, modified));
  }

  /** @returns the queries whose answers have another page */
  async #ask(queries: readonly Query[], found: Map<string, string>): Promise<Query[]> {
    const body = {
      queries: queries.map(({ subject: { ecosystem, name, version }, page }) => ({
        package: { ecosystem, name },
        version,
        ...(page === undefined ? {} : { page_token: page }),
      })),
    };
    const url = `${this.name}/v1/querybatch`;
    const { results } = check(batchAnswer, await this.#json(url, JSON.stringify(body)), url, MEND);
    if (results.length !== queries.length)
      throw new WaybillError(`${results.length} answers to ${queries.length} questions`, { where: url, mend: MEND });
    const more: Query[] = [];
    for (const [at, result] of results.entries()) {
      for (const { id, modified } of result?.vulns ?? []) found.set(id, modified);
      const page = result?.next_page_token;
      if (page) more.push({ subject: (queries[at] as Query).subject, page });
    }
    return more;
  }

  async #advisory(id: string, modified: string): Promise<Advisory> {
    const url = `${this.name}/v1/vulns/${encodeURIComponent(id)}`;
    const file = join(this.#cache, `${id}@${modified}`.replaceAll(/[^\w.@-]/g, "_")) + ".json";
    const known = modified !== "" && existsSync(file);
    const json = known ? parseJson(await readFile(file, "utf8"), file) : await this.#json(url);
    const parsed = check(advisory, json, known ? file : url, MEND);
    if (!known && modified !== "") await writeFileAtomic(file, JSON.stringify(json), 0o644, false);
    return parsed;
  }

  /** Tries again what may succeed later, after as long as the service asks for. */
  async #json(url: string, body?: string): Promise<unknown> {
    prepareNetwork(url);
    for (let attempt = 1; ; attempt++) {
      const { status, text, waitMs } = await this.#request(url, body);
      if (status === 200) return parseJson(text, url);
      const temporary = status === 429 || status >= 500;
      if (!temporary || attempt >= ATTEMPTS)
        throw new WaybillError(`the advisory service answered ${status}`, { where: url, mend: MEND });
      await pause(Math.min(waitMs ?? FIRST_PAUSE_MS * 2 ** attempt * (0.5 + Math.random() / 2), LONGEST_PAUSE_MS));
    }
  }

  async #request(url: string, body?: string): Promise<{ status: number; text: string; waitMs?: number }> {
    const post = { method: "POST", headers: { "content-type": "application/json" } };
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const response = await fetch(url, body === undefined ? { signal } : { ...post, body, signal });
      const after = Number(response.headers.get("retry-after") ?? Number.NaN);
      const wait = Number.isNaN(after) ? {} : { waitMs: after * 1000 };
      return { status: response.status, text: await response.text(), ...wait };
    } catch (error) {
      const reason = messageOf(error instanceof Error && error.cause ? error.cause : error);
      throw new WaybillError(`the advisory service can't be reached (${reason})`, {
        where: url,
        mend: MEND,
        cause: error,
      });
    }
  }
}
