// A comment on a pull request that is written anew with each push, not once more (REST API, "Issue comments").

import { readFile } from "node:fs/promises";
import { WaybillError, parseJson } from "@waybill/oci";
import { type GitHub, ask } from "./github.ts";

/** Comments of the first hundred are looked through: a bot's stands near the top. */
const PAGE = 100;

/** The number of the pull request that this run is about. @throws {WaybillError} it is about none */
export async function pullRequestOf(environment: NodeJS.ProcessEnv): Promise<number> {
  const file = environment["GITHUB_EVENT_PATH"];
  const event =
    file === undefined
      ? {}
      : (parseJson(await readFile(file, "utf8"), file) as { pull_request?: { number?: unknown } });
  const number = event.pull_request?.number;
  if (typeof number === "number") return number;
  throw new WaybillError("this run is about no pull request", { mend: "write to the terminal: leave --comment out" });
}

/**
 * @param mark a line of the comment by which it is found again
 * @returns "refused" for a pull request from a fork, whose token may not write: then the run's summary must do
 * @throws {WaybillError} GitHub can't be asked, or answers what can't be
 */
export async function writeComment(
  github: GitHub,
  number: number,
  mark: string,
  body: string,
): Promise<"created" | "updated" | "refused"> {
  const list = await ask(github, "GET", `issues/${number}/comments?per_page=${PAGE}`);
  if (list.status !== 200) throw unexpected(github, number, list.status);
  const comments = parseJson(list.text, "GitHub's comments") as { id: number; body?: string }[];
  const mine = comments.find((comment) => comment.body?.includes(mark));
  const { status } =
    mine === undefined
      ? await ask(github, "POST", `issues/${number}/comments`, { body })
      : await ask(github, "PATCH", `issues/comments/${mine.id}`, { body });
  if (status === 403) return "refused";
  if (status >= 300) throw unexpected(github, number, status);
  return mine === undefined ? "created" : "updated";
}

const unexpected = ({ api, repository }: GitHub, number: number, status: number): WaybillError =>
  new WaybillError(`GitHub answers ${status}`, { where: `${api}/repos/${repository}/issues/${number}/comments` });
