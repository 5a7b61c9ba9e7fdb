// PostgreSQL servers of the image on one data volume, each in a container of its own, and psql to talk to them.

import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BuiltImage, type Container, freePort } from "@waybill/testing";

/** Other people's builds may hold the machine: generous, because nothing waits so long when all is well. */
const PATIENCE_MS = 60_000;

export interface Server {
  port: number;
  container: Container;
}

export class Cluster {
  readonly #image: BuiltImage;
  readonly #volume: string;

  private constructor(image: BuiltImage, volume: string) {
    this.#image = image;
    this.#volume = volume;
  }

  static async make(image: BuiltImage): Promise<Cluster> {
    const volume = await mkdtemp(join(tmpdir(), "waybill-postgresql-"));
    await chmod(volume, 0o777);
    return new Cluster(image, volume);
  }

  /** Runs a program of the image to its end. @throws {Error} it failed; with what it printed */
  async run(args: string[], env: Record<string, string> = {}): Promise<string> {
    const container = await this.start(args, env);
    const { exitCode } = await container.exited();
    if (exitCode !== 0) throw new Error(`${args.join(" ")} ended with ${exitCode}:\n${container.stderr}`);
    return container.stdout.trim();
  }

  start(args: string[], env: Record<string, string> = {}): Promise<Container> {
    return this.#image.run({ args, env, mounts: [{ source: this.#volume, target: "/data" }], tmpfs: ["/tmp"] });
  }

  /** A new data folder /data/<name>, as CloudNativePG makes it: checksums (so that pg_rewind works), UTF-8. */
  initdb(name: string, ...options: string[]): Promise<string> {
    const fixed = ["--username=postgres", "--data-checksums", "--auth=trust", "--encoding=UTF8"];
    return this.run(["initdb", `--pgdata=/data/${name}`, ...fixed, ...options]);
  }

  /** Starts a server on the folder and waits until it takes connections. @param settings as name=value */
  async serve(name: string, ...settings: string[]): Promise<Server> {
    const port = await freePort();
    const fixed = [`port=${port}`, "listen_addresses=127.0.0.1", "unix_socket_directories=/tmp", ...settings];
    const container = await this.start(["postgres", "-D", `/data/${name}`, ...fixed.flatMap((each) => ["-c", each])]);
    await container.logged(/database system is ready to accept (read-only )?connections/, PATIENCE_MS);
    return { port, container };
  }

  /** What psql prints for the statements: rows a line, columns by "|". */
  psql({ port }: Server, sql: string, database = "postgres"): Promise<string> {
    const flags = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"];
    return this.run(["psql", ...flags, `--command=${sql}`], this.address(port, database));
  }

  address = (port: number, database = "postgres"): Record<string, string> => ({
    PGHOST: "127.0.0.1",
    PGPORT: String(port),
    PGUSER: "postgres",
    PGDATABASE: database,
  });

  /** Asks until the answer is `expected`. @throws {Error} it isn't in time; with the last answer */
  async becomes(server: Server, sql: string, expected: string): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    for (let answer = ""; answer !== expected;) {
      answer = await this.psql(server, sql);
      if (answer !== expected && Date.now() > end) throw new Error(`${sql} is still ${answer}, not ${expected}`);
    }
  }

  /** The data belong to user 26, who has to delete them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.run(["sh", "-c", "rm -rf /data/*"]);
    await rm(this.#volume, { recursive: true });
  }
}
