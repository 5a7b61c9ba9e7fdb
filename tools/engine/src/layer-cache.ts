// Layers that machines share, below the remote cache: for images that have to be built all the same.

import type { BuildRequest } from "./engine.ts";

/** A cache of layers for one image and one platform. */
export interface LayerCache {
  /** GitHub's own cache, or a repository of a registry. */
  kind: "gha" | "registry";
  /** The scope in GitHub's, the tag or the last part of the name in a registry: "api-amd64". */
  scope: string;
  /** For `registry`: "ghcr.io/acme/images/layers". */
  repository: string;
  /** False: read only. */
  write: boolean;
}

/** Flags of `docker buildx build`. A cache that can't be reached is none. */
export function buildxCache({ layerCache, noCache }: BuildRequest): string[] {
  if (layerCache === undefined || noCache) return [];
  const { kind, scope, repository, write } = layerCache;
  const place = kind === "gha" ? `type=gha,scope=${scope}` : `type=registry,ref=${repository}:${scope}`;
  const form = kind === "gha" ? "" : ",image-manifest=true,oci-mediatypes=true";
  return [`--cache-from=${place}`, ...(write ? [`--cache-to=${place},mode=max,ignore-error=true${form}`] : [])];
}

/** Flags of `buildah build`, which knows registries alone and names a repository without a tag. */
export function buildahCache({ layerCache, noCache }: BuildRequest): string[] {
  if (layerCache === undefined || noCache || layerCache.kind === "gha") return [];
  const { scope, repository, write } = layerCache;
  const place = `${repository}/${scope}`;
  const local = /^(localhost|127\.)/.test(repository) ? ["--tls-verify=false"] : [];
  return [...local, `--cache-from=${place}`, ...(write ? [`--cache-to=${place}`] : [])];
}
