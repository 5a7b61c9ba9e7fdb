// A real registry (Debian's docker-registry, the reference implementation) on a free port of 127.0.0.1, with its data in a folder
// that goes away with it. What it makes of our requests is what counts; fakes are for faults only.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, WaybillError } from "@waybill/oci";
import { type TokenServer, startTokenServer } from "./token-server.ts";

const START_TIMEOUT_MS = 15_000;

/** The one user of a registry with `auth`. */
const USER = {
  username: "waybill",
  password: "waybill-test",
  /** bcrypt, cost 4: for tests alone. */
  hash: "$2b$04$abcdefghijklmnopqrstuuVZBQNto5ziqc9N6P4U0Y0PZQTDoVQKS",
};

export interface RegistryNeeds {
  /** Lets in one user only, by HTTP Basic. */
  auth?: boolean;
  /** Lets in who has a token of the token server that it names, which knows the user, and "reader" with the same password. */
  token?: boolean;
  /** Speaks https, with a certificate of its own CA. */
  tls?: boolean;
  /** Deletes nothing, which is the registry's default. */
  immutable?: boolean;
}

export interface RunningRegistry {
  /** Host and port, as references have them: "127.0.0.1:40123". */
  host: string;
  /** Who may come in, with `auth` or `token`. */
  user: { username: string; password: string } | undefined;
  /** The CA's certificate, with `tls`: a file for NODE_EXTRA_CA_CERTS. */
  ca: string | undefined;
  /** Ends the registry and deletes its data. */
  stop(): Promise<void>;
}

/** Starts a registry and waits until it listens. The caller stops it. */
export async function startRegistry(needs: RegistryNeeds = {}): Promise<RunningRegistry> {
  const { auth = false, token = false, tls = false } = needs;
  const folder = await mkdtemp(join(tmpdir(), "waybill-registry-"));
  if (auth) await writeFile(join(folder, "htpasswd"), `${USER.username}:${USER.hash}\n`);
  if (tls || token) await makeCertificate(folder);
  const rights = { [USER.username]: "push", reader: "pull" } as const;
  const tokens = token ? await startTokenServer(folder, tls, USER.password, rights) : undefined;
  await writeFile(join(folder, "config.json"), JSON.stringify(configOf(folder, needs, tokens)));

  const stopper = new AbortController();
  const process = serve(folder, stopper.signal);
  const stop = async (): Promise<void> => {
    stopper.abort();
    await process.ended;
    await tokens?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const host = await process.listening;
    const { username, password } = USER;
    return {
      host,
      user: auth || token ? { username, password } : undefined,
      ca: tls ? join(folder, "ca.pem") : undefined,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The registry reads YAML, of which JSON is a part. Port 0: it takes a free one and tells which. */
function configOf(folder: string, needs: RegistryNeeds, tokens: TokenServer | undefined): object {
  const { auth = false, tls = false, immutable = false } = needs;
  const certificate = { certificate: join(folder, "server.pem"), key: join(folder, "server.key") };
  return {
    version: "0.1",
    log: { formatter: "json" },
    storage: { filesystem: { rootdirectory: join(folder, "data") }, delete: { enabled: !immutable } },
    http: { addr: "127.0.0.1:0", ...(tls && { tls: certificate }) },
    ...(auth && { auth: { htpasswd: { realm: "waybill", path: join(folder, "htpasswd") } } }),
    ...(tokens && { auth: { token: tokens.config } }),
  };
}

function serve(folder: string, signal: AbortSignal): { listening: Promise<string>; ended: Promise<unknown> } {
  const { promise: listening, resolve, reject } = Promise.withResolvers<string>();
  const log: string[] = [];
  const timer = setTimeout(
    () => reject(new Error(`docker-registry does not listen:\n${log.join("\n")}`)),
    START_TIMEOUT_MS,
  );
  const onLine = (line: string): void => {
    log.push(line);
    const address = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (address !== undefined) resolve(address);
  };
  // REGISTRY_* variables override the registry's settings: podman's REGISTRY_AUTH_FILE kills it.
  const env = { REGISTRY_AUTH_FILE: undefined, OTEL_TRACES_EXPORTER: "none" };
  const ended = run("docker-registry", ["serve", join(folder, "config.json")], { env, signal, onLine })
    .then(({ exitCode }) => reject(new Error(`docker-registry ended with exit code ${exitCode}:\n${log.join("\n")}`)))
    .catch((error: unknown) => reject(explain(error)))
    .finally(() => clearTimeout(timer));
  listening.then(
    () => clearTimeout(timer),
    () => {},
  );
  return { listening, ended };
}

function explain(error: unknown): unknown {
  const missing = error instanceof WaybillError && error.what.endsWith("is not installed");
  if (!missing) return error;
  return new WaybillError(error.what, { mend: "apt-get install docker-registry", cause: error });
}

/** A CA and a certificate for 127.0.0.1 and localhost, good for a day. */
async function makeCertificate(folder: string): Promise<void> {
  const openssl = async (...args: string[]): Promise<void> =>
    void (await run("openssl", args, { cwd: folder, check: true }));
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
  await openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Waybill test CA");
  const names = [
    "-addext",
    "subjectAltName=IP:127.0.0.1,DNS:localhost",
    "-addext",
    "basicConstraints=critical,CA:FALSE",
  ];
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key"];
  await openssl(
    "req",
    "-x509",
    ...key,
    ...signed,
    ...names,
    "-keyout",
    "server.key",
    "-out",
    "server.pem",
    "-subj",
    "/CN=127.0.0.1",
  );
}
