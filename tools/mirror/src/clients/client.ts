// What a client reads so that it asks the mirror first and goes to the upstream itself where the mirror can't help.

import type { Backend } from "../backend/backend.ts";

export interface ClientSettings {
  /** Texts by their place on a machine, from its root: "etc/docker/daemon.json". */
  files: Record<string, string>;
  /** What is left to do, or to know. */
  notes: string[];
}

/** Begins what is written, so that it may be written again. */
export const MARK = "# Written by `waybill mirror clients`; what is changed here is lost when it is written again.\n";

export type Client = (mirror: Backend) => ClientSettings;

/** A string as TOML has it; JSON's escapes are all TOML's too. */
export const quote = (text: string): string => JSON.stringify(text);

/** Host and port of a URL. */
export const hostOf = (url: string): string => new URL(url).host;

/** Every name by which the mirror on this machine may be called; elsewhere it has one. */
export function namesOf(url: string): string[] {
  const { host, hostname, port } = new URL(url);
  if (!["localhost", "127.0.0.1", "[::1]"].includes(hostname)) return [host];
  return [...new Set([host, `localhost:${port}`])];
}

/** Docker's rule: what it may speak http with unasked. */
export const isLoopback = (url: string): boolean => /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(url).hostname);
