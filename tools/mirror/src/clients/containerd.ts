// containerd, and with it Kubernetes' nodes, nerdctl and docker's containerd image store: a folder for each upstream
// (containerd's docs/hosts.md). `server` is who is asked when all hosts failed.

import type { Backend, Upstream } from "../backend/backend.ts";
import { type ClientSettings, MARK, quote } from "./client.ts";

const FOLDER = "etc/containerd/certs.d";

export function containerd(mirror: Backend): ClientSettings {
  return {
    files: Object.fromEntries(
      mirror.upstreams.map((upstream) => [`${FOLDER}/${upstream.host}/hosts.toml`, hosts(mirror, upstream)]),
    ),
    notes: [
      `containerd looks there if its config.toml says so: [plugins."io.containerd.grpc.v1.cri".registry] config_path = "/${FOLDER}"` +
        ` (containerd 2: [plugins."io.containerd.cri.v1.images".registry]); ctr takes --hosts-dir /${FOLDER}`,
    ],
  };
}

function hosts(mirror: Backend, { host, url }: Upstream): string {
  const place = mirror.placeOf(host);
  if (place === undefined) return "";
  const origin = `${place.plainHttp ? "http" : "https"}://${place.registry}`;
  // With ?ns=, which containerd always sends, nothing needs to stand before the repository.
  const bare = mirror.knowsNs || place.prefix === "";
  const lines = [
    `server = ${quote(url)}`,
    "",
    `[host.${quote(bare ? origin : `${origin}/v2/${place.prefix.replace(/\/$/, "")}`)}]`,
    '  capabilities = ["pull", "resolve"]',
    ...(bare ? [] : ["  override_path = true"]),
  ];
  return `${MARK}${lines.join("\n")}\n`;
}
