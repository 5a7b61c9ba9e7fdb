// One server a folder, and a way to speak to it: a socket in the folder that only the folder's owner may open. Whoever can connect
// has found a running server; a socket that nobody answers at is a dead one's.

import { once } from "node:events";
import { chmod, mkdir, rename, rm, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createHash, randomBytes } from "node:crypto";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createServer, request as httpRequest } from "@waybill/oci/http";
import { messageOf, WaybillError } from "@waybill/oci/error";
import type { RunningServer } from "./server.ts";
import { commandOf } from "./commands.ts";
import { refuseHeldElsewhere } from "./holder.ts";
import { serveOwner } from "./owner.ts";
import { sendOver } from "@waybill/oci/registry";
import type { Send } from "@waybill/oci/registry";

export interface Control {
  /** From now on, commands are carried out. */
  serve(server: RunningServer): void;
  close(): Promise<void>;
}

/** The kernel's limit on a socket's path. */
const MAX_SOCKET_PATH = 107;

/** @throws {WaybillError} a server runs on this folder already, here or on another machine */
export async function openControl(folder: string): Promise<Control> {
  await mkdir(folder, { recursive: true });
  const path = await socketPath(folder);
  if (await answers(path)) {
    throw new WaybillError("a registry runs on this folder already", {
      where: folder,
      mend: "stop it first: waybill mirror stop",
    });
  }
  // Another machine's server can't be reached by it, but its own clients still need it.
  await refuseHeldElsewhere(folder);
  let running: RunningServer | undefined;
  const server = createServer((request, response) => void answerCommand(running, request, response));
  // A large blob of a bundle may take long to come.
  server.requestTimeout = 0;
  // Made under another name, as Node deletes on close what lies at the name it listened at, whoever's that is by then.
  const made = join(dirname(path), `new.${randomBytes(4).toString("hex")}`);
  server.listen(made);
  await once(server, "listening");
  await chmod(made, 0o600);
  await rename(made, path);
  const { ino } = await stat(path, { bigint: true });
  return {
    serve(started) {
      running = started;
    },
    async close() {
      // Who took the folder over has put its own there.
      if ((await inodeOf(path)) === ino) await rm(path, { force: true });
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

/**
 * Sends a command to the server that runs on a folder, and gives its answer.
 * @returns undefined where none runs
 * @throws {WaybillError} what the server said
 */
export async function command(folder: string, name: string, options: Record<string, string> = {}): Promise<unknown> {
  const socketFile = await socketPath(folder);
  if (!(await answers(socketFile))) return undefined;
  const query = new URLSearchParams(options).toString();
  const request = httpRequest({ socketPath: socketFile, path: `/${name}?${query}`, method: "POST" });
  request.end();
  const response = await once(request, "response").then(
    ([answer]) => answer as IncomingMessage,
    // It ended while we asked.
    () => undefined,
  );
  if (response === undefined) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  const body: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  if (response.statusCode === 200) return body;
  throw new WaybillError((body as { error: string }).error, { where: folder });
}

/** A way to the server that runs on a folder as its owner, for a client of registries; see owner.ts. */
export async function ownerSend(folder: string): Promise<Send> {
  return sendOver(await socketPath(folder));
}

async function answerCommand(
  running: RunningServer | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://control");
  const say = (status: number, value: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  };
  try {
    if (running === undefined) return say(503, { error: "the registry is starting" });
    if (url.pathname.startsWith("/v2/")) return await serveOwner(running.registry, request, response);
    say(200, await commandOf(url.pathname.slice(1))(running, url.searchParams));
  } catch (error) {
    say(500, { error: messageOf(error) });
  }
}

async function socketPath(folder: string): Promise<string> {
  const path = join(resolve(folder), "control.sock");
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path;
  const short = join(tmpdir().length > 60 ? "/tmp" : tmpdir(), `waybill-${userInfo().uid}`);
  await mkdir(short, { recursive: true, mode: 0o700 });
  return join(short, `${createHash("sha256").update(resolve(folder)).digest("hex").slice(0, 16)}.sock`);
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found?.ino;
}

async function answers(path: string): Promise<boolean> {
  return await new Promise<boolean>((done) => {
    const socket = connect(path);
    socket.once("connect", () => done(true)).once("error", () => done(false));
    socket.once("connect", () => socket.destroy());
  });
}
