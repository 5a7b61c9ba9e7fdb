// How the server is started as a process of its own: in one place, as its memory depends on it.

import { fileURLToPath } from "node:url";

export interface ServerProcess {
  command: string;
  args: string[];
  /** To be laid over the environment. */
  env: Record<string, string>;
}

/**
 * What to start to serve a folder.
 * - V8 keeps short-lived objects in up to 48 MB before it looks what is garbage; 1 MB does for objects as small as ours.
 * - glibc keeps freed memory for itself, unless it took it from the system piece by piece: so it does from 64 KB on, which is what
 *   sockets bring.
 * - Node's pool has four threads, which four slow writes would keep from every read.
 * - What comes in is counted, and V8 told to look for garbage (memory.ts).
 */
export function serverProcess(folder: string): ServerProcess {
  const program = fileURLToPath(new URL("registry-server.ts", import.meta.url));
  return {
    command: process.execPath,
    args: ["--max-semi-space-size=1", "--expose-gc", program, folder],
    env: { MALLOC_MMAP_THRESHOLD_: "65536", UV_THREADPOOL_SIZE: "8" },
  };
}
