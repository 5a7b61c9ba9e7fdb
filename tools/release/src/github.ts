// Releases on GitHub: a page for each version, with what its changesets say and how it is pulled (REST API, "Releases").

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { WaybillError, mapLimit, parseJson } from "@waybill/oci";
import { commitOf, tagsOf } from "./git.ts";
import { notesOf } from "./notes.ts";
import { type Releasable, releasables } from "./packages.ts";
import { type PublishPlan, gitTag } from "./publish-plan.ts";

/** Requests under way at a time. */
const PARALLEL = 4;
/** GitHub takes seconds at most. */
const ANSWER_MS = 30_000;

export interface GitHub {
  /** "https://api.github.com". */
  api: string;
  /** "acme/images". */
  repository: string;
  token: string;
}

/** What a step of GitHub Actions is told; undefined elsewhere. */
export function gitHubOf(environment: NodeJS.ProcessEnv): GitHub | undefined {
  const {
    GITHUB_API_URL: api = "https://api.github.com",
    GITHUB_REPOSITORY: repository,
    GITHUB_TOKEN: token,
  } = environment;
  return repository === undefined || token === undefined ? undefined : { api, repository, token };
}

export interface Page {
  tag: string;
  title: string;
  body: string;
}

/** The pages of all that is released of this commit, now or by a run before that was broken off. */
export async function pagesOf(root: string, plan: PublishPlan): Promise<Page[]> {
  const head = await commitOf(root);
  const tags = await tagsOf(root);
  const pages: Page[] = [];
  for (const release of (await releasables(root)).values()) {
    const tag = gitTag(release);
    if (!tags.has(tag) || (await commitOf(root, `refs/tags/${tag}`)).revision !== head.revision) continue;
    const all = [...plan.images, ...plan.charts];
    const published = all.filter(({ kind, name }) => kind === release.kind && name === release.name);
    pages.push(await pageOf(root, release, published));
  }
  return pages;
}

type Published = PublishPlan["images"][number] | PublishPlan["charts"][number];

async function pageOf(root: string, release: Releasable, published: readonly Published[]): Promise<Page> {
  const changelog = await readFile(join(root, release.folder, "CHANGELOG.md"), "utf8").catch(() => "");
  const pulls = published.map((each) =>
    each.kind === "chart"
      ? `oci://${each.registry}/${each.repository} --version ${each.version}`
      : `${each.registry}/${each.repository}:${each.tags[0]}@${each.index.digest}`,
  );
  const body = [notesOf(changelog, release.version), "```", ...pulls, "```"].filter((part) => part !== "").join("\n");
  return { tag: gitTag(release), title: `${release.name} ${release.version}`, body };
}

/**
 * Makes the pages that aren't there: a release that is repeated makes none twice. The tags must have been pushed.
 * @returns the tags whose pages were made
 * @throws {WaybillError} GitHub refuses
 */
export async function makePages(github: GitHub, pages: readonly Page[]): Promise<string[]> {
  const made = await mapLimit(pages, PARALLEL, async ({ tag, title, body }) => {
    if ((await ask(github, "GET", `releases/tags/${encodeURIComponent(tag)}`)).status === 200) return [];
    const { status, text } = await ask(github, "POST", "releases", { tag_name: tag, name: title, body });
    // Made by another run meanwhile.
    if (status === 422 && text.includes("already_exists")) return [];
    if (status !== 201) throw refused(github, tag, status, text);
    return [tag];
  });
  return made.flat();
}

/** @throws {WaybillError} no answer. What it answers is the caller's to judge */
export async function ask({ api, repository, token }: GitHub, method: string, path: string, body?: object) {
  const url = `${api}/repos/${repository}/${path}`;
  const headers = {
    accept: "application/vnd.github+json",
    authorization: `Bearer ${token}`,
    "x-github-api-version": "2022-11-28",
    "user-agent": "waybill",
  };
  const request = { method, headers, signal: AbortSignal.timeout(ANSWER_MS) };
  try {
    const response = await fetch(url, body === undefined ? request : { ...request, body: JSON.stringify(body) });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    throw new WaybillError("GitHub can't be asked", {
      where: url,
      mend: "publish again: what is done stays done",
      cause,
    });
  }
}

function refused({ api, repository }: GitHub, tag: string, status: number, text: string): WaybillError {
  let reason = `status ${status}`;
  try {
    reason = `${status} ${(parseJson(text, "") as { message?: string }).message ?? ""}`.trim();
  } catch {
    // A gateway's page says nothing to a person.
  }
  const mend =
    status === 403 ? "give the job `permissions: contents: write`" : "publish again: what is done stays done";
  return new WaybillError(`GitHub refuses the release of ${tag} (${reason})`, {
    where: `${api}/repos/${repository}`,
    mend,
  });
}
