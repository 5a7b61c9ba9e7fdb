/**
 * One process a data directory: two PGlites on one folder destroy it. A pid file can't tell here (each container's process is pid 1), and
 * Node has no flock, but a Unix socket in the folder does: it answers while its owner lives, from any container of this machine.
 */
import { access, constants, mkdir, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { Failure } from "../failure.ts";

/** Takes `folder`, making it if need be; gives the function that lets go. Rejects when another process holds it. */
export async function holdFolder(folder: string): Promise<() => Promise<void>> {
  await writable(folder);
  const path = join(folder, "in-use.sock");
  if (await answers(path)) {
    throw new Failure(
      `${folder} is in use by another process: stop that one first, or use PostgreSQL (DATABASE_URL) for more than one`,
    );
  }
  await rm(path, { force: true });
  const server = await listen(path);
  return () => new Promise((done) => server.close(() => done()));
}

async function writable(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK);
  } catch (error) {
    const mend = `mount a volume there that user ${process.getuid?.()} can write, or set DATABASE_URL`;
    throw new Failure(`DATA_DIR ${folder} can't be written: ${mend}`, { cause: error });
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(true)).on("error", () => resolve(false));
    socket.on("close", () => socket.destroy()).unref();
    socket.on("connect", () => socket.end());
  });
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end());
    server.once("error", reject).listen(path, () => resolve(server.unref()));
  });
}
