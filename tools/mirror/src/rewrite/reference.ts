// A reference as a mirror has it, and back. No two references become one, and what was rewritten comes back as it was.

import type { Reference } from "@waybill/oci";
import { componentOfRegistry, formatReference, parseReference, registryOfComponent } from "@waybill/oci";
import { type Backend, isItself, locate, placeAt } from "../backend/backend.ts";

/** @returns undefined for what stays as it is @throws {WaybillError} a name that gets too long */
export type Rewrite = (reference: Reference) => Reference | undefined;

/** Of what the mirror doesn't mirror, and of what names it already, nothing changes. */
export function toMirror(mirror: Backend): Rewrite {
  return (reference) => {
    if (isItself(mirror, reference.registry)) return undefined;
    const located = locate(mirror, reference);
    if (located === undefined) return undefined;
    const { registry, repository } = located;
    return parseReference(formatReference({ ...reference, registry, repository }));
  };
}

/** What was pushed to the mirror has no other name. */
export function fromMirror(mirror: Backend): Rewrite {
  return (reference) => {
    const name = mirror.name === "waybill" ? belowHost(mirror, reference) : belowPrefix(mirror, reference);
    return name && parseReference(formatReference({ ...reference, ...name }));
  };
}

type Name = Pick<Reference, "registry" | "repository">;

/** The first component is the upstream. */
function belowHost(mirror: Backend, { registry, repository }: Reference): Name | undefined {
  if (!isItself(mirror, registry)) return undefined;
  const slash = repository.indexOf("/");
  const upstream = slash < 0 ? undefined : registryOfComponent(repository.slice(0, slash));
  return upstream === undefined ? undefined : { registry: upstream, repository: repository.slice(slash + 1) };
}

/** The longest prefix that fits is the upstream's. */
function belowPrefix(mirror: Backend, { registry, repository }: Reference): Name | undefined {
  const fitting = mirror.upstreams.flatMap(({ host }) => {
    const place = mirror.placeOf(host);
    return place?.registry === registry && repository.startsWith(place.prefix) ? [{ host, prefix: place.prefix }] : [];
  });
  const [best] = fitting.toSorted((one, other) => other.prefix.length - one.prefix.length);
  return best && { registry: best.host, repository: repository.slice(best.prefix.length) };
}

/** A mirror of which nothing is known but where it answers: it has every registry, below its name. */
export function mirrorAt(url: string): Backend {
  return {
    name: "waybill",
    url,
    upstreams: [],
    knowsNs: true,
    takesImages: true,
    placeOf: (host) => placeAt(url, `${componentOfRegistry(host)}/`),
    files: () => ({}),
    next: "",
  };
}
