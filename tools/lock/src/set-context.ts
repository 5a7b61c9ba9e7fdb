// How a Dockerfile names a set of its lock: the build contexts `packages-<set>`, `unpacked-<set>` and `files-<set>`.

export interface SetContext {
  kind: "packages" | "unpacked" | "files";
  set: string;
}

/** Undefined for a reference that is no set's: an image. */
export function parseSetContext(reference: string): SetContext | undefined {
  const [, kind, set] = /^(packages|unpacked|files)-(.+)$/.exec(reference) ?? [];
  return kind === undefined || set === undefined ? undefined : { kind: kind as SetContext["kind"], set };
}
