import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { ciTags } from "../src/ci-tags.ts";
import { workspace } from "./workspace.ts";

const SHA = "0123456789abcdef0123456789abcdef01234567";

afterEach(() => vi.unstubAllEnvs());

/** What GitHub answers about the repository, and the environment that it gives a step. */
async function onGitHub(environment: Record<string, string>, event: object): Promise<{ asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({ default_branch: "main", description: null, html_url: "", license: null, name: "images" }),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const folder = mkdtempSync(join(tmpdir(), "waybill-event-"));
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  writeFileSync(join(folder, "event.json"), JSON.stringify(event));
  const all = {
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    GITHUB_EVENT_PATH: join(folder, "event.json"),
    GITHUB_REPOSITORY: "acme/images",
    GITHUB_SHA: SHA,
    GITHUB_TOKEN: "token-of-the-run",
    ...environment,
  };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
  return { asked };
}

const REPOSITORY = { repository: { default_branch: "main", name: "images", owner: { login: "acme" } } };

test("a push to the default branch has the commit and latest", async () => {
  const { asked } = await onGitHub({ GITHUB_EVENT_NAME: "push", GITHUB_REF: "refs/heads/main" }, REPOSITORY);
  expect((await ciTags(workspace().root)).sort()).toEqual(["latest", `sha-${SHA}`]);
  expect(asked).toEqual(["/repos/acme/images token token-of-the-run"]);
});

test("a push to another branch has the commit alone", async () => {
  await onGitHub({ GITHUB_EVENT_NAME: "push", GITHUB_REF: "refs/heads/feature" }, REPOSITORY);
  expect(await ciTags(workspace().root)).toEqual([`sha-${SHA}`]);
});

test("a pull request has its number", async () => {
  const event = { ...REPOSITORY, number: 42, pull_request: { head: { sha: SHA } } };
  await onGitHub({ GITHUB_EVENT_NAME: "pull_request", GITHUB_REF: "refs/pull/42/merge" }, event);
  expect((await ciTags(workspace().root)).sort()).toEqual(["pr-42", `sha-${SHA}`]);
});

test("without a token the mend is told", async () => {
  await onGitHub({ GITHUB_EVENT_NAME: "push", GITHUB_REF: "refs/heads/main" }, REPOSITORY);
  vi.stubEnv("GITHUB_TOKEN", undefined);
  await expect(ciTags(workspace().root)).rejects.toThrow(/no GITHUB_TOKEN: give the step `env: GITHUB_TOKEN/);
});

test("on a person's machine the commit, where it is what was built", async () => {
  vi.stubEnv("CI", undefined);
  const { root, git, write } = workspace();
  expect(await ciTags(root)).toEqual([`sha-${git("rev-parse", "HEAD")}`]);
  write("images/agent/Dockerfile", "FROM scratch\n# another\n");
  expect(await ciTags(root)).toEqual([]);
});
