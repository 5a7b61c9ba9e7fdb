/**
 * PGlite's Node file system, made to mean fsync. As it comes, PGlite starts PostgreSQL with `-F` (fsync off), and its
 * file system has no fsync at all: what was committed outlives the process, but not the machine's power.
 */
import { fsyncSync } from "node:fs";
import { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";

/** An open file of Emscripten's NODEFS: `nfd` is Node's descriptor. */
interface HostStream {
  readonly nfd: number;
}
type HostModule = { NODEFS: { stream_ops: { fsync?: (stream: HostStream) => number } } };

/** How often this process has asked the disk to keep something, so that a test can see a commit wait for it. */
export const synced = { count: 0 };

export class DurableFolder extends NodeFS {
  override async init(...[pglite, options]: Parameters<NodeFS["init"]>): ReturnType<NodeFS["init"]> {
    const result = await super.init(pglite, options);
    const preRun = result.emscriptenOpts.preRun as unknown as ((module: HostModule) => void)[];
    preRun.push((module) => {
      module.NODEFS.stream_ops.fsync = syncToDisk; // libc's fsync() calls it, if it is there
    });
    return result;
  }
}

function syncToDisk(stream: HostStream): number {
  fsyncSync(stream.nfd);
  synced.count += 1;
  return 0;
}

/**
 * PostgreSQL's parameters: fsync on, by the one call that reaches `syncToDisk` (fdatasync is a stub here), and
 * memory for a service with a small table and a single connection rather than for a database server.
 */
export const durableParameters: string[] = [
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== "-F"),
  ...["fsync=on", "wal_sync_method=fsync", "synchronous_commit=on", "full_page_writes=on"].flatMap((it) => ["-c", it]),
  ...["shared_buffers=8MB", "max_wal_size=64MB", "min_wal_size=32MB"].flatMap((it) => ["-c", it]),
];
