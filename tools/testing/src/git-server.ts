// A real git server (git's own smart HTTP backend, as every forge speaks it) on a free port of 127.0.0.1, with repositories that tests
// write commit by commit.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "@waybill/oci";

/** Commits get the same hashes on every machine. */
const IDENTITY = {
  GIT_AUTHOR_NAME: "Upstream",
  GIT_AUTHOR_EMAIL: "upstream@example.org",
  GIT_AUTHOR_DATE: "2026-01-01T00:00:00Z",
  GIT_COMMITTER_NAME: "Upstream",
  GIT_COMMITTER_EMAIL: "upstream@example.org",
  GIT_COMMITTER_DATE: "2026-01-01T00:00:00Z",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
};

export class GitRepository {
  readonly folder: string;
  readonly url: string;

  constructor(folder: string, url: string) {
    this.folder = folder;
    this.url = url;
  }

  /** Runs git in it and returns what it printed, without white space around it. */
  async git(...args: string[]): Promise<string> {
    const all = ["-c", "protocol.file.allow=always", ...args];
    const { stdout } = await run("git", all, {
      cwd: this.folder,
      env: { ...IDENTITY, GIT_DIR: undefined },
      check: true,
    });
    return stdout.trim();
  }

  /** Writes files (null deletes one), commits all and returns the commit. */
  async commit(files: Record<string, string | Buffer | null>, message = "change"): Promise<string> {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.folder, path);
      await mkdir(dirname(file), { recursive: true });
      if (content === null) await rm(file);
      else await writeFile(file, content);
    }
    await this.git("add", "--all", "--force");
    await this.git("commit", "--quiet", "--allow-empty", `--message=${message}`);
    return await this.git("rev-parse", "HEAD");
  }
}

export interface RunningGitServer {
  /** "http://127.0.0.1:40123" */
  url: string;
  /** Bytes of packs and answers sent since the start. */
  sent(): number;
  /** A new empty repository at `<url>/<name>`. */
  repository(name: string): Promise<GitRepository>;
  /** Ends the server and deletes its repositories. */
  stop(): Promise<void>;
}

/** Starts a server and waits until it listens. The caller stops it. */
export async function startGitServer(): Promise<RunningGitServer> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-git-"));
  let sent = 0;
  const server = createServer(
    (request, response) => void answer(folder, request, response, (bytes) => (sent += bytes)),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    sent: () => sent,
    async repository(name) {
      const repository = new GitRepository(join(folder, name), `${url}/${name}`);
      await mkdir(repository.folder, { recursive: true });
      await repository.git("init", "--quiet", "--initial-branch=main");
      return repository;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** CGI (RFC 3875) with git-http-backend(1). */
async function answer(
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
  count: (bytes: number) => void,
): Promise<void> {
  const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: request.headers["git-protocol"] as string | undefined,
      ...ANYONES_REPOSITORIES,
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"],
      CONTENT_LENGTH: request.headers["content-length"],
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"],
      REMOTE_ADDR: "127.0.0.1",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  request.pipe(child.stdin);
  child.stdin.on("error", () => {}); // it may answer before it has read everything
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(child, "close");
  const output = Buffer.concat(chunks);
  const end = output.indexOf("\r\n\r\n");
  const body = output.subarray(end + 4);
  for (const line of output.subarray(0, Math.max(end, 0)).toString("latin1").split("\r\n")) {
    const [name = "", value = ""] = line.split(/:\s*/, 2);
    if (name === "Status") response.statusCode = Number(value.split(" ")[0]);
    else if (name !== "") response.setHeader(name, value);
  }
  count(body.length);
  response.end(body);
}

/** Under sudo the repositories may belong to another user than the one git sees. */
const ANYONES_REPOSITORIES = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "safe.directory", GIT_CONFIG_VALUE_0: "*" };
