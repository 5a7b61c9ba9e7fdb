// Names of this machine.

/** @param host with or without a port, as in URLs: "localhost:5000", "[::1]" */
export function isLoopback(host: string): boolean {
  return /^(localhost|[a-z0-9.-]+\.localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(host);
}
