// What a path means (distribution-spec, "Endpoints"). Repository names have slashes and may hold words such as "blobs", so a path is
// read from its end.

export type Route =
  | { kind: "base" }
  | { kind: "catalog" }
  | { kind: "tags"; name: string }
  | { kind: "manifest"; name: string; reference: string }
  | { kind: "blob"; name: string; digest: string }
  | { kind: "uploads"; name: string }
  | { kind: "upload"; name: string; id: string }
  | { kind: "referrers"; name: string; digest: string }
  | { kind: "page" }
  | { kind: "metrics" }
  | { kind: "health" };

const FIXED: Record<string, Route> = {
  "/": { kind: "page" },
  "/metrics": { kind: "metrics" },
  "/healthz": { kind: "health" },
  "/v2": { kind: "base" },
  "/v2/": { kind: "base" },
  "/v2/_catalog": { kind: "catalog" },
};

const UPLOADS = /^\/v2\/(.+)\/blobs\/uploads\/?$/;
const UPLOAD = /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/;
const TAGS = /^\/v2\/(.+)\/tags\/list$/;
const ITEM = /^\/v2\/(.+)\/(manifests|blobs|referrers)\/([^/]+)$/;

/** @param path the URL's path, as it was sent @returns undefined for a path that means nothing */
export function routeOf(path: string): Route | undefined {
  const text = decoded(path);
  if (text === undefined) return undefined;
  const fixed = FIXED[text];
  if (fixed !== undefined) return fixed;
  const uploads = UPLOADS.exec(text);
  if (uploads) return { kind: "uploads", name: uploads[1] as string };
  const upload = UPLOAD.exec(text);
  if (upload) return { kind: "upload", name: upload[1] as string, id: upload[2] as string };
  const tags = TAGS.exec(text);
  if (tags) return { kind: "tags", name: tags[1] as string };
  return itemOf(text);
}

function itemOf(text: string): Route | undefined {
  const [, name, kind, last] = ITEM.exec(text) ?? [];
  if (name === undefined || last === undefined) return undefined;
  if (kind === "manifests") return { kind: "manifest", name, reference: last };
  return kind === "blobs" ? { kind: "blob", name, digest: last } : { kind: "referrers", name, digest: last };
}

/** Decoded once, as clients may write a digest's colon as %3A. What is then no name is refused by the name's grammar. */
function decoded(path: string): string | undefined {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
