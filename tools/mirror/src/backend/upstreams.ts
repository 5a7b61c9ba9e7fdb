// Registries that most images come from, and where a registry answers that references only name.

import type { Upstream } from "./backend.ts";

export const USUAL_UPSTREAMS = [
  "docker.io",
  "gcr.io",
  "ghcr.io",
  "mcr.microsoft.com",
  "public.ecr.aws",
  "quay.io",
  "registry.k8s.io",
];

/** @param url where it answers, if not at https:// and its name */
export function upstreamOf(host: string, url?: string): Upstream {
  const address = host === "docker.io" ? "registry-1.docker.io" : host;
  return { host, url: url ?? `https://${address}` };
}
