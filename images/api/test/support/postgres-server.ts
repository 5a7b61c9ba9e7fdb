/** A real PostgreSQL of Debian's package, in a folder of its own, as an ordinary user, gone when the tests are. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { freePort } from "@waybill/testing/free-port";

const PACKAGES = "/usr/lib/postgresql";
/** PostgreSQL refuses to run as root: nobody then. */
const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

export class PostgresServer {
  readonly #folder: string;
  readonly #binaries: string;
  readonly #port: number;
  #postmaster: ChildProcess | undefined;
  #databases = 0;

  private constructor(folder: string, binaries: string, port: number) {
    this.#folder = folder;
    this.#binaries = binaries;
    this.#port = port;
  }

  static async start(): Promise<PostgresServer> {
    const folder = await mkdtemp(join(tmpdir(), "waybill-pg-"));
    if (user.uid) await chown(folder, user.uid, user.gid);
    const server = new PostgresServer(folder, await newestBinaries(), await freePort());
    const initdb = server.#run("initdb", ["-D", join(folder, "data"), "-U", "postgres", "-A", "trust", "--no-sync"]);
    const [code] = await once(initdb, "exit");
    if (code !== 0) throw new Error(`initdb ended with ${code}`);
    await server.resume();
    return server;
  }

  /** The postmaster, again; resolves when it takes connections. */
  async resume(): Promise<void> {
    const settings = ["listen_addresses=127.0.0.1", `unix_socket_directories=${this.#folder}`, "fsync=off"];
    const args = ["-D", join(this.#folder, "data"), "-p", String(this.#port), ...settings.flatMap((it) => ["-c", it])];
    this.#postmaster = this.#run("postgres", args);
    const ready = /ready to accept connections/;
    for await (const text of this.#postmaster.stderr!.setEncoding("utf8")) if (ready.test(text as string)) break;
    this.#postmaster.stderr!.resume();
  }

  /** Stops the postmaster as an administrator would in a hurry ("fast"); `resume` brings it back. */
  async pause(): Promise<void> {
    const exited = once(this.#postmaster!, "exit");
    this.#postmaster!.kill("SIGINT");
    await exited;
  }

  /** A new, empty database's URL. */
  async database(): Promise<string> {
    const name = `test_${++this.#databases}`;
    await this.query(this.#url("postgres"), `CREATE DATABASE ${name}`);
    return this.#url(name);
  }

  /** Runs SQL as the superuser in the database of `url`. */
  async query(url: string, sql: string): Promise<void> {
    await this.rows(url, sql);
  }

  async rows(url: string, sql: string): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return (await client.query(sql).finally(() => client.end())).rows;
  }

  async stop(): Promise<void> {
    await this.pause();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #url(database: string): string {
    return `postgres://postgres@127.0.0.1:${this.#port}/${database}`;
  }

  #run(program: string, args: string[]): ChildProcess {
    const env = { PATH: process.env["PATH"], LC_ALL: "C.UTF-8" };
    return spawn(join(this.#binaries, program), args, {
      ...user,
      env,
      cwd: this.#folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
  }
}

async function newestBinaries(): Promise<string> {
  const versions = await readdir(PACKAGES).catch(() => []);
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  if (newest === undefined) throw new Error(`no PostgreSQL in ${PACKAGES}: apt-get install postgresql`);
  return join(PACKAGES, newest, "bin");
}
