// The credentials docker and podman already keep for a registry: from their files, and through their credential helpers. Secrets
// pass through stdin and memory only.

import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { check, parseJson } from "../document.ts";
import { WaybillError } from "../error.ts";
import { normaliseRegistry } from "../reference.ts";
import { askHelper } from "./helper.ts";

export type Credentials =
  | { kind: "basic"; username: string; password: string }
  /** An OAuth2 refresh token, as `docker login` stores for some registries. */
  | { kind: "identity"; token: string };

/** Finds the credentials for a registry as references name it, e.g. "docker.io"; those for a part of it only by its repository. */
export type CredentialSource = (registry: string, repository?: string) => Promise<Credentials | undefined>;

type Environment = Record<string, string | undefined>;

const entrySchema = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const fileSchema = z.object({
  auths: z.record(z.string(), entrySchema).nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
});
type CredentialFile = z.infer<typeof fileSchema>;

/** The key `docker login` uses for Docker Hub. */
const HUB_KEY = "https://index.docker.io/v1/";

/** Looks through the user's files in the order docker and podman do; the first that knows the registry answers. */
export function credentialSource(env: Environment = process.env): CredentialSource {
  return async (registry, repository) => {
    for (const path of credentialFiles(env)) {
      const found = await lookUp(path, placesOf(normaliseRegistry(registry), repository), env);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** For public registries, and for tests: no credentials at all. */
export const anonymous: CredentialSource = () => Promise.resolve(undefined);

function credentialFiles(env: Environment): string[] {
  if (env["REGISTRY_AUTH_FILE"]) return [env["REGISTRY_AUTH_FILE"]];
  const home = env["HOME"] ?? homedir();
  return [
    ...(env["DOCKER_CONFIG"] ? [join(env["DOCKER_CONFIG"], "config.json")] : []),
    ...(env["XDG_RUNTIME_DIR"] ? [join(env["XDG_RUNTIME_DIR"], "containers", "auth.json")] : []),
    join(env["XDG_CONFIG_HOME"] ?? join(home, ".config"), "containers", "auth.json"),
    join(home, ".docker", "config.json"),
  ];
}

/**
 * What may have credentials of its own, the closest first: "quay.io/team/api", "quay.io/team", "quay.io" (containers-auth.json(5)).
 * The registry is the last.
 */
function placesOf(registry: string, repository = ""): string[] {
  const parts = repository.split("/").filter((part) => part !== "");
  const within = parts.map((_, index) => [registry, ...parts.slice(0, parts.length - index)].join("/"));
  return [...within, registry];
}

async function lookUp(path: string, places: readonly string[], env: Environment): Promise<Credentials | undefined> {
  const file = await readCredentialFile(path);
  const registry = places.at(-1) ?? "";
  const helper = valueFor(file.credHelpers ?? {}, registry) ?? file.credsStore ?? undefined;
  const kept = helper && (await askHelper(helper, registry === "docker.io" ? HUB_KEY : registry, env));
  if (kept) return kept;
  for (const place of places) {
    const entry = valueFor(file.auths ?? {}, place);
    if (entry !== undefined) return fromEntry(entry, place, path);
  }
  return undefined;
}

async function readCredentialFile(path: string): Promise<CredentialFile> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR") return "{}";
    throw new WaybillError(`the credentials can't be read (${cause.code})`, { where: path, cause });
  });
  const mend = "mend the file, or log in again";
  return check(fileSchema, parseJson(text, path, mend), path, mend);
}

/** Exact host and port: credentials for "ghcr.io" are not for "ghcr.io.example.com", nor the other way round. */
function valueFor<T>(byKey: Record<string, T>, place: string): T | undefined {
  return Object.entries(byKey).find(([key]) => normaliseRegistry(placeOfKey(key)) === place)?.[1];
}

/** Keys are hosts, podman's "host/namespace", or URLs such as https://index.docker.io/v1/. */
function placeOfKey(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/(\/v[12])?\/?$/, "");
}

function fromEntry(entry: z.infer<typeof entrySchema>, place: string, path: string): Credentials | undefined {
  if (entry.identitytoken) return { kind: "identity", token: entry.identitytoken };
  if (entry.username && entry.password) return { kind: "basic", username: entry.username, password: entry.password };
  if (!entry.auth) return undefined;
  const pair = Buffer.from(entry.auth, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (colon < 1) throw new WaybillError(`the entry for ${place} is damaged`, { where: path, mend: "log in again" });
  // docker pads the pair with NUL bytes at times.
  return { kind: "basic", username: pair.slice(0, colon), password: pair.slice(colon + 1).replace(/\0+$/, "") };
}
