// The listening side: sockets, TLS, time limits, the end.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "@waybill/oci/http";
import { messageOf, WaybillError } from "@waybill/oci/error";
import type { Config } from "./config.ts";
import { openControl } from "./control.ts";
import { holdFolder } from "./holder.ts";
import type { Log } from "./log.ts";
import { openRegistry } from "./registry.ts";
import type { Registry } from "./registry.ts";
import { serve } from "./serve.ts";

/** How long clients may take for their headers. */
const HEADERS_WITHIN_MS = 15_000;
/** How long answers under way have when the server stops. */
const GRACE_MS = 10_000;

export interface RunningServer {
  /** "http://127.0.0.1:5000" */
  url: string;
  registry: Registry;
  /** Lets answers under way end, for a while, then closes. */
  stop(): Promise<void>;
}

/**
 * @param onLost another machine took the folder, and this server stops
 * @throws {WaybillError} the port is taken, the folder is in use, the configuration can't be used
 */
export async function startServer(config: Config, log: Log, onLost = (): void => {}): Promise<RunningServer> {
  const control = await openControl(config.folder);
  let running: RunningServer | undefined;
  const release: (() => Promise<void>)[] = [() => control.close()];
  const releaseAll = async (): Promise<void> => {
    for (const each of release.toReversed()) await each();
  };
  try {
    const hold = await holdFolder(config.folder, (by) => {
      log("error", "folder lost", { folder: config.folder, by });
      onLost();
      void running?.stop();
    });
    release.push(() => hold.release());
    const registry = await openRegistry(config, log);
    running = await serveOn(config, registry, releaseAll).catch(async (error: unknown) => {
      registry.care.stop();
      await registry.stop();
      throw error;
    });
    control.serve(running);
    log("info", "listening", { url: running.url, folder: config.folder });
    return running;
  } catch (error) {
    await releaseAll();
    throw error;
  }
}

/** @param release what is left to do when all else has ended */
async function serveOn(config: Config, registry: Registry, release: () => Promise<void>): Promise<RunningServer> {
  const serving = new Set<Promise<void>>();
  const server = await listen(config, (request, response) => {
    const answered = serve(registry, request, response).finally(() => serving.delete(answered));
    serving.add(answered);
  });
  const { port } = server.address() as AddressInfo;
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  return {
    url: `${config.tls ? "https" : "http"}://${host}:${port}`,
    registry,
    async stop() {
      registry.care.stop();
      await close(server);
      await registry.stop();
      await Promise.allSettled(serving);
      await release();
      registry.log("info", "stopped");
    },
  };
}

async function listen(config: Config, listener: RequestListener): Promise<Server> {
  const server = await makeServer(config, listener);
  // An upload may take hours, as long as it moves; so may a download. Silence is what ends a connection.
  server.requestTimeout = 0;
  server.headersTimeout = HEADERS_WITHIN_MS;
  server.keepAliveTimeout = config.idleAfter;
  server.timeout = config.idleAfter;
  server.listen(config.port, config.host);
  try {
    await once(server, "listening");
  } catch (cause) {
    throw cannotListen(config, cause as NodeJS.ErrnoException);
  }
  return server;
}

async function makeServer({ tls }: Config, listener: RequestListener): Promise<Server> {
  const options = { noDelay: true, highWaterMark: 256 * 1024 };
  if (tls === undefined) return createServer(options, listener);
  const read = async (file: string): Promise<Buffer> =>
    await readFile(file).catch((cause: NodeJS.ErrnoException) => {
      throw new WaybillError(`the certificate or key can't be read (${cause.code})`, { where: file, cause });
    });
  const [cert, key] = [await read(tls.certificate), await read(tls.key)];
  try {
    const https = await import("node:https");
    return https.createServer({ ...options, cert, key, minVersion: "TLSv1.2" }, listener);
  } catch (cause) {
    throw new WaybillError(`certificate and key can't be used (${messageOf(cause)})`, {
      where: tls.certificate,
      cause,
    });
  }
}

function cannotListen({ host, port }: Config, cause: NodeJS.ErrnoException): WaybillError {
  const where = `${host}:${port}`;
  if (cause.code === "EADDRINUSE")
    return new WaybillError("the port is taken", {
      where,
      mend: "stop what listens there, or set another in `listen`",
      cause,
    });
  const mend = cause.code === "EACCES" ? "use a port from 1024 on" : "check `listen`";
  return new WaybillError(`can't listen (${cause.code})`, { where, mend, cause });
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  await closed;
  clearTimeout(timer);
}
