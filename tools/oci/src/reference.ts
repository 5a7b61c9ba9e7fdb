// What names an image: [registry/]repository[:tag][@digest]. Parsed once, here; everywhere else it is a Reference and nobody
// looks for colons again ("host:5000/a" has a port and no tag). Grammar: distribution/reference, which the OCI distribution spec
// restates for <name> and <reference>.

import { isDigest } from "./digest.ts";
import type { Digest } from "./digest.ts";
import { WaybillError } from "./error.ts";

export interface Reference {
  /** Host and port as in "ghcr.io" or "localhost:5000"; "docker.io" where the text names none. */
  registry: string;
  /** "library/debian" where the text says "debian" and the registry is docker.io. */
  repository: string;
  /** Absent where the text has none: "latest" is never assumed. */
  tag?: string;
  digest?: Digest;
}

const alphanumeric = "[a-z0-9]+";
const separator = "(?:[._]|__|-+)";
const pathComponent = `${alphanumeric}(?:${separator}${alphanumeric})*`;
const path = `${pathComponent}(?:/${pathComponent})*`;

const domainComponent = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const domainName = `${domainComponent}(?:\\.${domainComponent})*`;
const ipv6 = "\\[[a-fA-F0-9:]+\\]";
const domain = `(?:${domainName}|${ipv6})(?::[0-9]+)?`;

const tag = "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}";
const digest = "[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-fA-F0-9]+";

const REFERENCE = new RegExp(`^(?<name>(?:${domain}/)?${path})(?::(?<tag>${tag}))?(?:@(?<digest>${digest}))?$`);
const REPOSITORY = new RegExp(`^${path}$`);
const REGISTRY = new RegExp(`^${domain}$`);
const TAG = new RegExp(`^${tag}$`);

/** The spec's limit on host and repository together. */
const MAX_NAME_LENGTH = 255;
const DOCKER_HUB = "docker.io";
const DOCKER_HUB_ALIASES = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** @throws {WaybillError} text that is no reference, with the part that is wrong */
export function parseReference(text: string): Reference {
  const groups = REFERENCE.exec(text)?.groups;
  if (groups?.name === undefined)
    throw refuse(text, "it does not match [registry/]repository[:tag][@digest], in lower case");
  if (groups.name.length > MAX_NAME_LENGTH) throw refuse(text, `the name is longer than ${MAX_NAME_LENGTH} characters`);
  const { registry, repository } = splitName(groups.name);
  if (!REPOSITORY.test(repository)) throw refuse(text, "the repository must be in lower case");
  const reference: Reference = { registry, repository };
  if (groups.tag !== undefined) reference.tag = groups.tag;
  if (groups.digest !== undefined) {
    if (!isDigest(groups.digest))
      throw refuse(text, "a digest is sha256: and 64, or sha512: and 128, lower-case hex digits");
    reference.digest = groups.digest;
  }
  return reference;
}

/** The whole of a reference, with its registry: "docker.io/library/debian:13". `parseReference` gives it back. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

export function isRepository(text: string): boolean {
  return REPOSITORY.test(text);
}

/** True for what may stand before the first slash: a host with an optional port. */
export function isRegistry(text: string): boolean {
  return REGISTRY.test(text);
}

/** The name a registry goes by in references: Docker Hub answers to several. */
export function normaliseRegistry(registry: string): string {
  return DOCKER_HUB_ALIASES.has(registry) ? DOCKER_HUB : registry;
}

/** Docker's rule: what stands before the first slash is a registry if it could not be a Docker Hub user. */
function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const named = /[.:A-Z]/.test(first) || first === "localhost";
  const registry = named ? normaliseRegistry(first) : DOCKER_HUB;
  const repository = named ? name.slice(slash + 1) : name;
  return {
    registry,
    repository: registry === DOCKER_HUB && !repository.includes("/") ? `library/${repository}` : repository,
  };
}

function refuse(text: string, mend: string): WaybillError {
  return new WaybillError(`"${text.slice(0, MAX_NAME_LENGTH)}" is not an image reference`, { mend });
}
