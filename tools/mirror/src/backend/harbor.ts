// Harbor: a proxy-cache project for each upstream, named after its host. Projects are made through its API by an administrator.

import { componentOfRegistry } from "@waybill/oci";
import { type Backend, type Upstream, placeAt } from "./backend.ts";
import type { BackendSettings } from "./settings.ts";
import { upstreamOf } from "./upstreams.ts";

/** Kinds of registries that Harbor has an adapter for; all others are "docker-registry". */
const ADAPTERS: Record<string, string> = {
  "docker.io": "docker-hub",
  "ghcr.io": "github-ghcr",
  "quay.io": "quay",
};

export function harbor({ url, upstreams }: BackendSettings): Backend {
  const known = Object.entries(upstreams).map(([host, each]) => upstreamOf(host, each.url));
  return {
    name: "harbor",
    url,
    // The project that Harbor comes with.
    own: "library",
    upstreams: known,
    knowsNs: false,
    takesImages: false,
    placeOf: (host) =>
      known.some((each) => each.host === host) ? placeAt(url, `${componentOfRegistry(host)}/`) : undefined,
    files: () => ({ "projects.sh": scriptOf(url, known) }),
    next: "run it once, with an administrator's name and password for this host in ~/.netrc: sh projects.sh",
  };
}

/** Runs as often as one likes: what is there stays. */
function scriptOf(url: string, upstreams: readonly Upstream[]): string {
  const calls = upstreams.map(
    (upstream) =>
      `mirror ${[componentOfRegistry(upstream.host), typeOf(upstream), addressOf(upstream)].map(quote).join(" ")}`,
  );
  return `#!/bin/sh
# Makes a proxy-cache project for each upstream in Harbor, through its API (v2.0). curl takes name and password from ~/.netrc.
set -eu
api=${quote(`${url.replace(/\/$/, "")}/api/v2.0`)}

# Sends a POST; that it is there already (409) is no failure.
post() {
  status=$(curl --silent --show-error --netrc --output /dev/null --write-out '%{http_code}' \\
    --header 'Content-Type: application/json' --data "$2" "$api/$1")
  case $status in
    201 | 409) ;;
    *) echo "POST $api/$1 answered $status" >&2; exit 1 ;;
  esac
}

# mirror PROJECT TYPE URL
mirror() {
  post registries "{\\"name\\": \\"$1\\", \\"type\\": \\"$2\\", \\"url\\": \\"$3\\", \\"insecure\\": false}"
  id=$(curl --silent --show-error --fail --netrc "$api/registries?q=name%3D$1" | sed -n 's/.*"id": *\\([0-9][0-9]*\\).*/\\1/p')
  [ -n "$id" ] || { echo "Harbor has no registry $1" >&2; exit 1; }
  post projects "{\\"project_name\\": \\"$1\\", \\"registry_id\\": $id, \\"metadata\\": {\\"public\\": \\"true\\"}}"
  echo "$1"
}

${calls.join("\n")}
`;
}

const typeOf = ({ host }: Upstream): string => ADAPTERS[host] ?? "docker-registry";

/** Docker Hub's adapter goes by the site's address. */
const addressOf = ({ host, url }: Upstream): string => (host === "docker.io" ? "https://hub.docker.com" : url);

/** For sh. Hosts and URLs have no quotes; what has one anyway must not become a command. */
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
