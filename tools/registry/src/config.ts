// What a registry is told: one JSON file in its folder, checked whole before anything starts. Paths in it are from the file's folder.

import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { z } from "zod";
import { WaybillError } from "@waybill/oci/error";
import { isRegistry, normaliseRegistry } from "@waybill/oci/reference";
import { check, parseJson } from "@waybill/oci/document";
import { byteSize, duration } from "./duration.ts";

const fileCredentials = z.strictObject({ username: z.string().min(1), passwordFile: z.string().min(1) });

const upstreamSchema = z.strictObject({
  /** Where it answers, if not at https:// and its name: a mirror of it, or a registry without TLS. */
  url: z.url({ protocol: /^https?$/ }).optional(),
  /** How long a tag is believed before the upstream is asked again. Digests are believed for ever. */
  revalidateAfter: duration.default(300_000),
  /** "docker": what docker and podman keep, helpers too. */
  credentials: z.union([z.literal("none"), z.literal("docker"), fileCredentials]).default("none"),
  /** How long a connection and the first byte of an answer may take. */
  answerWithin: duration.default(2_500),
  /** How long a download may be silent before it is taken up again. */
  silentFor: duration.default(15_000),
});
export type UpstreamConfig = z.output<typeof upstreamSchema>;

/** "anyone", "users" (whoever logged in), or a user's name. */
const who = z.array(z.string().min(1));
const accessRuleSchema = z.strictObject({
  repositories: z.string().min(1),
  read: who.default(["anyone"]),
  write: who.default(["users"]),
});
export type AccessRule = z.output<typeof accessRuleSchema>;

const gcRuleSchema = z
  .strictObject({
    repositories: z.string().min(1),
    /** Which tags; all of them by default. */
    tags: z.string().min(1).default("*"),
    /** Since the tag was set. */
    olderThan: duration.optional(),
    /** Since its image was last pulled. */
    unusedFor: duration.optional(),
    /** The newest of them stay whatever their age. */
    keepNewest: z.int().nonnegative().default(0),
    /** Manifests that no tag leads to go after this time without use. */
    untaggedFor: duration.optional(),
  })
  .refine((rule) => rule.olderThan ?? rule.unusedFor ?? rule.untaggedFor, "say olderThan, unusedFor or untaggedFor");
export type GcRule = z.output<typeof gcRuleSchema>;

const gcSchema = z.strictObject({
  every: duration.default(86_400_000),
  /** What was touched more recently than this stays: someone may be about to push the manifest that names it. */
  grace: duration.default(3_600_000),
  /** What came from upstreams may take so much; the longest unused goes first. What was pushed is not touched. */
  maxSize: byteSize.optional(),
  rules: z.array(gcRuleSchema).default([]),
});
export type GcConfig = z.output<typeof gcSchema>;

const scrubSchema = z.strictObject({
  /** Every blob is read again within this time. */
  every: duration.default(7 * 86_400_000),
  bytesPerSecond: byteSize.default(20e6),
});

const configSchema = z.strictObject({
  listen: z.string().default("127.0.0.1:5000"),
  tls: z.strictObject({ certificate: z.string(), key: z.string() }).optional(),
  /** By host, as in references; "*" allows every host. */
  upstreams: z.record(z.string(), upstreamSchema).default({}),
  /** What `waybill mirror sync` keeps here: names of ready lists, or files. */
  lists: z.array(z.string().min(1)).default([]),
  /** Names without a host that are not held here are asked of this upstream: for docker's registry-mirrors. */
  fallback: z.string().optional(),
  access: z
    .strictObject({
      htpasswd: z.string().optional(),
      tokens: z.string().optional(),
      rules: z.array(accessRuleSchema).default([]),
    })
    .prefault({}),
  gc: gcSchema.prefault({}),
  scrub: scrubSchema.prefault({}),
  /** Free space that downloads and uploads leave alone. */
  keepFree: byteSize.default(50e6),
  /** How long a client's connection may be silent before it is closed. */
  idleAfter: duration.default(60_000),
});

export interface Config extends z.output<typeof configSchema> {
  /** The folder with blobs/, repositories/, … */
  folder: string;
  host: string;
  port: number;
}

const CONFIG_FILE = "config.json";

/** Reads `<folder>/config.json`; a folder without one has the defaults. @throws {WaybillError} what is wrong, all at once */
export async function loadConfig(folder: string): Promise<Config> {
  const file = join(folder, CONFIG_FILE);
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return "{}";
    throw new WaybillError(`the configuration can't be read (${cause.code})`, { where: file, cause });
  });
  return makeConfig(parseJson(text, file), folder, file);
}

/** As `loadConfig`, from data. @param where named in errors */
export function makeConfig(data: unknown, folder: string, where = "configuration"): Config {
  const parsed = check(configSchema, data, where);
  const { host, port } = readListen(parsed.listen, where);
  const config: Config = { ...parsed, folder: resolve(folder), host, port, upstreams: upstreamsOf(parsed, where) };
  const at = (path: string): string =>
    isAbsolute(path) ? path : join(resolve(dirname(join(folder, CONFIG_FILE))), path);
  if (config.tls) config.tls = { certificate: at(config.tls.certificate), key: at(config.tls.key) };
  const { htpasswd, tokens, rules } = config.access;
  config.access = { htpasswd: htpasswd && at(htpasswd), tokens: tokens && at(tokens), rules };
  for (const upstream of Object.values(config.upstreams)) {
    const { credentials } = upstream;
    if (typeof credentials === "object") credentials.passwordFile = at(credentials.passwordFile);
  }
  assertPrivate(config, where);
  return config;
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function readListen(listen: string, where: string): { host: string; port: number } {
  const [, host, port] = /^(?:\[([0-9a-fA-F:]+)\]|[^:[\]]+):(\d{1,5})$/.exec(listen) ?? [];
  if (port === undefined || Number(port) > 65_535)
    throw new WaybillError(`"${listen}" is no address to listen at`, {
      where,
      mend: "write host:port, as in 127.0.0.1:5000",
    });
  return { host: host ?? listen.slice(0, listen.lastIndexOf(":")), port: Number(port) };
}

function upstreamsOf({ upstreams, fallback }: z.output<typeof configSchema>, where: string): Config["upstreams"] {
  const known = Object.entries(upstreams).map(([host, upstream]) => {
    if (host !== "*" && !isRegistry(host)) throw new WaybillError(`"${host}" is not a registry`, { where });
    return [host === "*" ? host : normaliseRegistry(host.toLowerCase()), upstream] as const;
  });
  const byHost = Object.fromEntries(known);
  if (fallback !== undefined && byHost[normaliseRegistry(fallback)] === undefined)
    throw new WaybillError(`fallback ${fallback} is not among the upstreams`, { where });
  return byHost;
}

/** Whoever reaches us would read with the upstream's credentials: that must be somebody's decision, not an accident. */
function assertPrivate({ upstreams, host, access }: Config, where: string): void {
  if (isLoopback(host)) return;
  for (const [upstream, { credentials }] of Object.entries(upstreams)) {
    const ruled = access.rules.some(({ repositories }) => repositories.startsWith(`${upstream}/`));
    if (credentials === "none" || ruled) continue;
    throw new WaybillError(
      `${upstream} has credentials, and everybody who reaches this registry could read with them`,
      {
        where,
        mend: `add a rule for "${upstream}/**" to access.rules that says who may read`,
      },
    );
  }
}
