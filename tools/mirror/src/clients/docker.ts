// docker: it asks mirrors for Docker Hub alone, and by names without a host.

import type { Backend } from "../backend/backend.ts";
import { isPlain } from "../backend/backend.ts";
import { type ClientSettings, hostOf, isLoopback } from "./client.ts";

export function docker(mirror: Backend): ClientSettings {
  const hub = mirror.placeOf("docker.io");
  const mirrors = hub !== undefined && (mirror.knowsNs || hub.prefix === "");
  const origin = hub === undefined ? mirror.url : `${hub.plainHttp ? "http" : "https"}://${hub.registry}`;
  const insecure = [...new Set([mirror.url, origin])].filter((url) => isPlain(url) && !isLoopback(url)).map(hostOf);
  const settings = {
    ...(mirrors && { "registry-mirrors": [origin] }),
    ...(insecure.length > 0 && { "insecure-registries": insecure }),
  };
  const example = mirror.placeOf("ghcr.io") ?? hub;
  return {
    files:
      Object.keys(settings).length === 0
        ? {}
        : { "etc/docker/daemon.json": `${JSON.stringify(settings, undefined, 2)}\n` },
    notes: [
      "docker asks mirrors for Docker Hub's images alone" +
        (example === undefined
          ? ""
          : `; others by name: docker pull ${example.registry}/${example.prefix}acme/api:1.0`),
      ...(mirrors ? [] : ["this mirror has Docker Hub below a path, which docker doesn't ask for: name it as above"]),
      ...(mirrors && mirror.knowsNs && mirror.fallback !== "docker.io" ? [FALLBACK] : []),
      "then: systemctl reload docker",
    ],
  };
}

const FALLBACK =
  "docker without the containerd image store doesn't say whose image it wants: `npx waybill mirror setup --fallback docker.io`" +
  " takes names without a host for Docker Hub's";
