// CNCF Distribution (Debian's docker-registry): a process pulls through from one upstream and takes no pushes, so there is one for
// each upstream and one for what is pushed. What they store must not mix.

import { WaybillError } from "@waybill/oci";
import { type Backend, type Upstream, listenAddress, placeAt } from "./backend.ts";
import type { BackendSettings } from "./settings.ts";
import { upstreamOf } from "./upstreams.ts";

const DEFAULT_STORAGE = "/var/lib/docker-registry";

export function distribution({ url, storage = DEFAULT_STORAGE, upstreams }: BackendSettings): Backend {
  const known = Object.entries(upstreams).map(([host, each], i) => ({
    ...upstreamOf(host, each.url),
    at: each.at ?? besides(url, i + 1),
  }));
  return {
    name: "distribution",
    url,
    upstreams: known,
    knowsNs: false,
    takesImages: false,
    placeOf(host) {
      const found = known.find((each) => each.host === host);
      return found && placeAt(found.at, "");
    },
    files: () =>
      Object.fromEntries([
        ["own.yml", configOf(url, storage, "own")],
        ...known.map((each) => [`${each.host}.yml`, configOf(each.at, storage, each.host, each)]),
      ]),
    next: "start a process for each file: docker-registry serve <file> (registry serve, in its image)",
  };
}

/** The same host, some ports on. */
function besides(url: string, by: number): string {
  const { protocol, hostname, port } = new URL(url);
  return `${protocol}//${hostname}:${Number(port || (protocol === "https:" ? 443 : 80)) + by}`;
}

function configOf(at: string, storage: string, name: string, upstream?: Upstream): string {
  const { hostname = "", port } = listenAddress(at);
  const lines = [
    upstream === undefined
      ? "# What is pushed."
      : `# Images of ${name}. A proxy takes no pushes: that is own.yml's process.`,
    "version: 0.1",
    "storage:",
    ...storageOf(storage, name),
    // Proxies expire what they hold, which without it they only pretend to.
    "  delete:",
    "    enabled: true",
    "http:",
    `  addr: ${JSON.stringify(`${hostname}:${port}`)}`,
  ];
  if (upstream !== undefined) lines.push("proxy:", `  remoteurl: ${JSON.stringify(upstream.url)}`);
  return `${lines.join("\n")}\n`;
}

/** Keys of an S3 bucket come from the environment, as for every client of AWS. */
function storageOf(storage: string, name: string): string[] {
  const folder = (root: string): string => JSON.stringify(`${root.replace(/\/$/, "")}/${name}`);
  if (storage.startsWith("/")) return ["  filesystem:", `    rootdirectory: ${folder(storage)}`];
  const bucket = URL.parse(storage);
  const region = bucket?.searchParams.get("region");
  if (bucket?.protocol !== "s3:" || bucket.hostname === "" || !region) {
    throw new WaybillError(`"${storage}" is no place to store in`, {
      mend: "write a folder's whole path, or s3://bucket/path?region=eu-central-1 (&endpoint=https://… where it isn't AWS; &redirect=off where clients can't reach it)",
    });
  }
  const endpoint = bucket.searchParams.get("endpoint");
  return [
    "  s3:",
    `    region: ${JSON.stringify(region)}`,
    `    bucket: ${JSON.stringify(bucket.hostname)}`,
    `    rootdirectory: ${folder(bucket.pathname)}`,
    // Else Distribution 3 asks BUCKET.ENDPOINT, which few but AWS have; 2.8 never does.
    ...(endpoint ? [`    regionendpoint: ${JSON.stringify(endpoint)}`, "    forcepathstyle: true"] : []),
    // By default clients are sent to the bucket for blobs.
    ...(bucket.searchParams.get("redirect") === "off" ? ["  redirect:", "    disable: true"] : []),
  ];
}
