import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { pullRequestOf, writeComment } from "../src/comment.ts";

const MARK = "<!-- mark -->";

/** The comments of one pull request, as GitHub's REST API keeps them; `readOnly` is the token of a fork. */
async function pullRequest(readOnly = false) {
  const comments = [{ id: 7, body: "Looks good" }];
  const server = createServer((request, response) => {
    void (async () => {
      const { body } = JSON.parse((await text(request)) || "{}") as { body: string };
      if (request.method === "GET") return response.end(JSON.stringify(comments));
      if (readOnly) return response.writeHead(403).end("{}");
      const id = Number(/comments\/(\d+)$/.exec(request.url ?? "")?.[1]);
      if (request.method === "POST") comments.push({ id: 8, body });
      else (comments.find((comment) => comment.id === id) as { body: string }).body = body;
      return response.writeHead(request.method === "POST" ? 201 : 200).end("{}");
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { github: { api, repository: "acme/images", token: "x" }, comments };
}

test("a comment is made once and then written anew; other people's stay", async () => {
  const { github, comments } = await pullRequest();
  expect(await writeComment(github, 42, MARK, `${MARK}\nfirst`)).toBe("created");
  expect(await writeComment(github, 42, MARK, `${MARK}\nsecond`)).toBe("updated");
  expect(comments.map(({ body }) => body)).toEqual(["Looks good", `${MARK}\nsecond`]);
});

test("a fork's token may not write, which is no failure", async () => {
  const { github, comments } = await pullRequest(true);
  expect(await writeComment(github, 42, MARK, MARK)).toBe("refused");
  expect(comments).toHaveLength(1);
});

test("the pull request is the one of GitHub's event", async () => {
  const folder = mkdtempSync(join(tmpdir(), "waybill-event-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "event.json");
  writeFileSync(
    file,
    JSON.stringify({ action: "synchronize", number: 42, pull_request: { number: 42, draft: false } }),
  );
  expect(await pullRequestOf({ GITHUB_EVENT_PATH: file })).toBe(42);
  writeFileSync(file, JSON.stringify({ ref: "refs/heads/main", commits: [] }));
  await expect(pullRequestOf({ GITHUB_EVENT_PATH: file })).rejects.toThrow("about no pull request");
});
