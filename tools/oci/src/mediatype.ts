// The media types Waybill writes (OCI) and the ones it also reads (Docker's schema 2, which OCI grew out of).

export const MEDIA_TYPE = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  layerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  empty: "application/vnd.oci.empty.v1+json",
} as const;

export const DOCKER_MEDIA_TYPE = {
  index: "application/vnd.docker.distribution.manifest.list.v2+json",
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

export const INDEX_MEDIA_TYPES: readonly string[] = [MEDIA_TYPE.index, DOCKER_MEDIA_TYPE.index];
export const MANIFEST_MEDIA_TYPES: readonly string[] = [MEDIA_TYPE.manifest, DOCKER_MEDIA_TYPE.manifest];

export type Compression = "none" | "gzip" | "zstd";

/** How a layer is packed; `undefined` for a media type that is no layer of an image. */
export function compressionOf(mediaType: string): Compression | undefined {
  if (/^application\/vnd\.docker\.image\.rootfs\.(foreign\.)?diff\.tar\.gzip$/.test(mediaType)) return "gzip";
  const layer = /^application\/vnd\.oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+(gzip|zstd))?$/.exec(
    mediaType,
  );
  if (layer === null) return undefined;
  return (layer[1] as Compression | undefined) ?? "none";
}

/** Layers that registries don't take: they stay where their `urls` say. */
export function isDistributable(mediaType: string): boolean {
  return !/\.(nondistributable|foreign)\./.test(mediaType);
}
