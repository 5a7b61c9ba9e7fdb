// snapshot.debian.org keeps every package Debian ever published. Its machine-usable interface finds a file by package and
// version; what it gives is checked against the lock like everything else.

import { connect } from "node:net";
import { z } from "zod";
import { hasProxy, prepareNetwork } from "@waybill/oci/network";
import type { DebianPackage } from "../schema.ts";

/** Many networks don't let it through, and a silent firewall must not cost a build more than this, once a run. */
const CONNECT_MS = 3_000;
const ANSWER_MS = 30_000;

const binaryFiles = z.object({
  result: z.array(z.object({ architecture: z.string(), hash: z.string().regex(/^[0-9a-f]{40}$/) })),
});

const reachable = new Map<string, Promise<boolean>>();

/** The URL of a package's file in the snapshot archive, or undefined where it can't be reached or doesn't have it. */
export async function snapshotUrl(
  snapshot: string,
  { name, version, arch }: Pick<DebianPackage, "name" | "version" | "arch">,
): Promise<string | undefined> {
  if (!(await isReachable(snapshot))) return undefined;
  const query = `${snapshot}/mr/binary/${encodeURIComponent(name)}/${encodeURIComponent(version)}/binfiles`;
  try {
    const response = await fetch(query, { signal: AbortSignal.timeout(ANSWER_MS) });
    if (!response.ok) return undefined;
    const { result } = binaryFiles.parse(await response.json());
    const found = result.find(({ architecture }) => architecture === arch);
    return found && `${snapshot}/file/${found.hash}`;
  } catch {
    // The snapshot archive is the second of three places: whatever is wrong with it, the third is tried. One that doesn't answer
    // is not asked again in this run, or a hundred packages would wait for it one after the other.
    reachable.set(snapshot, Promise.resolve(false));
    return undefined;
  }
}

/** Tries a connection once a run. Through a proxy it tells nothing: there the answer itself is waited for. */
export function isReachable(snapshot: string): Promise<boolean> {
  prepareNetwork(snapshot);
  const known = reachable.get(snapshot);
  if (known) return known;
  if (hasProxy()) return Promise.resolve(true);
  const { hostname, port, protocol } = new URL(snapshot);
  const probe = canConnect(hostname, Number(port || (protocol === "https:" ? 443 : 80)));
  reachable.set(snapshot, probe);
  return probe;
}

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => end(false), CONNECT_MS);
    const end = (answer: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}
