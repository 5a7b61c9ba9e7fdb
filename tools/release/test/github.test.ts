import { once } from "node:events";
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { type GitHub, gitHubOf, makePages } from "../src/github.ts";
import { notesOf } from "../src/notes.ts";

/** GitHub's releases, as its REST API keeps them. */
async function gitHub(answer?: (request: IncomingMessage) => number | undefined) {
  const pages = new Map<string, { tag_name: string; body: string }>();
  const server = createServer((request, response) => {
    void (async () => {
      const status = answer?.(request);
      const tag = decodeURIComponent(/releases\/tags\/(.+)$/.exec(request.url ?? "")?.[1] ?? "");
      const page = JSON.parse((await text(request)) || "{}") as { tag_name: string; body: string };
      if (status !== undefined) return response.writeHead(status).end('{"message":"Resource not accessible"}');
      if (request.method === "GET") return response.writeHead(pages.has(tag) ? 200 : 404).end("{}");
      pages.set(page.tag_name, page);
      return response.writeHead(201).end("{}");
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const github: GitHub = { api, repository: "acme/images", token: "secret-token" };
  return { github, pages };
}

const PAGE = { tag: "@acme/agent@1.1.0", title: "agent 1.1.0", body: "- Streams." };

test("a page is made once", async () => {
  const { github, pages } = await gitHub();
  expect(await makePages(github, [PAGE])).toEqual([PAGE.tag]);
  expect(pages.get(PAGE.tag)).toMatchObject({ tag_name: PAGE.tag, body: "- Streams." });
  expect(await makePages(github, [PAGE])).toEqual([]);
});

test("a refusal tells the mend and not the token", async () => {
  const { github } = await gitHub(({ method }) => (method === "POST" ? 403 : undefined));
  const failure = await makePages(github, [PAGE]).catch((error: unknown) => String(error));
  expect(failure).toContain("403 Resource not accessible");
  expect(failure).toContain("contents: write");
  expect(failure).not.toContain("secret-token");
});

test("GitHub is asked where a step of its own runs", () => {
  expect(gitHubOf({})).toBeUndefined();
  expect(gitHubOf({ GITHUB_REPOSITORY: "acme/images", GITHUB_TOKEN: "x" })).toEqual({
    api: "https://api.github.com",
    repository: "acme/images",
    token: "x",
  });
});

test("a release says what the changelog says of its version, and no more", () => {
  const changelog = "# agent\n\n## 1.1.0\n\n### Minor Changes\n\n- Streams.\n\n## 1.0.0\n\n- First.\n";
  expect(notesOf(changelog, "1.1.0")).toBe("### Minor Changes\n\n- Streams.");
  expect(notesOf(changelog, "1.0.0")).toBe("- First.");
  expect(notesOf(changelog, "2.0.0")).toBe("");
});
