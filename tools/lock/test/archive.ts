// A small Debian archive for tests: real packages made with dpkg-deb, indexes signed with a key of its own, served over HTTP
// from this process, with a snapshot archive beside it.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "@waybill/oci";
import type { DebianPackage } from "../src/schema.ts";
import type { DebianSources } from "../src/debian/archive.ts";

export interface DebOptions {
  arch?: string;
  /** Further control fields, such as Depends. */
  fields?: Record<string, string>;
  /** Bytes of content beside the control file. */
  payload?: number;
  /** In the security archive's pool. */
  security?: boolean;
  /** Carries its record for images without dpkg, as what builds such images would write. */
  record?: boolean;
}

export interface Deb extends DebianPackage {
  bytes: Buffer;
  control: string;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export class TestArchive {
  readonly folder: string;
  readonly #server: Server;
  readonly #files = new Map<string, Buffer>();
  readonly #sha1s = new Map<string, { deb: Deb; sha1: string }>();
  /** Answers in place of the archive, by path. */
  readonly faults = new Map<string, Handler>();
  /** Every path asked for, in order. */
  readonly requests: string[] = [];

  private constructor(folder: string) {
    this.folder = folder;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(): Promise<TestArchive> {
    const archive = new TestArchive(await mkdtemp(join(tmpdir(), "waybill-archive-")));
    await mkdir(join(archive.folder, "gnupg"), { mode: 0o700 });
    const key = "Test Archive <test@localhost>";
    await archive.gpg(["--passphrase", "", "--quick-generate-key", key, "ed25519", "sign", "never"]);
    await archive.gpg(["--output", join(archive.folder, "keyring.gpg"), "--export", key]);
    archive.#server.listen(0, "127.0.0.1");
    await once(archive.#server, "listening");
    return archive;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await run("gpgconf", ["--homedir", join(this.folder, "gnupg"), "--kill", "all"]);
    await rm(this.folder, { recursive: true, force: true });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Where to look: this archive. Pass others to look elsewhere. */
  sources(other: Partial<DebianSources> = {}): DebianSources {
    return {
      archive: `${this.url}/debian`,
      security: `${this.url}/debian-security`,
      snapshot: `${this.url}/snapshot`,
      keyring: join(this.folder, "keyring.gpg"),
      ...other,
    };
  }

  async gpg(args: readonly string[]): Promise<string> {
    const home = ["--homedir", join(this.folder, "gnupg"), "--batch", "--yes", "--pinentry-mode", "loopback"];
    return (await run("gpg", [...home, ...args], { check: true })).stdout;
  }

  /** Makes a package and puts its file into the pool. It isn't in any index until `publish`. */
  async deb(name: string, version: string, options: DebOptions = {}): Promise<Deb> {
    const { arch = "amd64", fields = {}, payload = 0, security = false, record = false } = options;
    const root = await mkdtemp(join(this.folder, "deb-"));
    const all = { Package: name, Version: version, Architecture: arch, Maintainer: "Test <test@localhost>", ...fields };
    const lines = Object.entries({ ...all, Description: `test package ${name}` });
    const control = lines.map(([key, value]) => `${key}: ${value}\n`).join("");
    await mkdir(join(root, "DEBIAN"));
    await writeFile(join(root, "DEBIAN/control"), control);
    await mkdir(join(root, "usr/share", name), { recursive: true });
    await writeFile(join(root, "usr/share", name, "version"), version + "x".repeat(payload));
    if (record) {
      await mkdir(join(root, "var/lib/dpkg/status.d"), { recursive: true });
      await writeFile(join(root, "var/lib/dpkg/status.d", name), control);
    }
    const file = `${root}.deb`;
    await run("dpkg-deb", ["--root-owner-group", record ? "-Zxz" : "-Znone", "--build", root, file], { check: true });
    const bytes = await readFile(file);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const plain = version.replace(/^\d+:/, "");
    const path = `pool/${security ? "updates/" : ""}main/${name[0]}/${name}/${name}_${plain}_${arch}.deb`;
    const deb = { name, version, arch, sha256, size: bytes.length, path, bytes, control };
    this.#files.set(urlPath(deb), bytes);
    return deb;
  }

  /** Takes the file out of the pool, as Debian does with old versions; `snapshot` keeps it in the snapshot archive. */
  drop(deb: Deb, { snapshot = false } = {}): void {
    this.#files.delete(urlPath(deb));
    if (!snapshot) return;
    const sha1 = createHash("sha1").update(deb.bytes).digest("hex");
    this.#sha1s.set(`${deb.name}/${deb.version}`, { deb, sha1 });
  }

  /** Writes and signs the indexes of a suite: exactly these packages. */
  async publish(suite: string, debs: readonly Deb[], archs: readonly string[] = ["amd64", "arm64"]): Promise<void> {
    const root = `/${suite.endsWith("-security") ? "debian-security" : "debian"}/dists/${suite}`;
    let hashes = "";
    for (const arch of archs) {
      const path = `main/binary-${arch}/Packages`;
      const stanzas = debs.filter((deb) => deb.arch === arch || deb.arch === "all").map(indexStanza);
      const bytes = Buffer.from(stanzas.join("\n"));
      hashes += ` ${createHash("sha256").update(bytes).digest("hex")} ${bytes.length} ${path}\n`;
      this.#files.set(`${root}/${path}`, bytes);
    }
    const date = new Date().toUTCString().replace("GMT", "UTC");
    const head = `Origin: Test\nSuite: ${suite}\nCodename: ${suite}\nDate: ${date}\nComponents: main\n`;
    const release = `${head}Architectures: ${archs.join(" ")}\nSHA256:\n${hashes}`;
    const file = join(this.folder, "Release");
    await writeFile(file, release);
    await this.gpg(["--digest-algo", "SHA512", "--clearsign", "--output", `${file}.asc`, file]);
    this.#files.set(`${root}/InRelease`, await readFile(`${file}.asc`));
  }

  /** The same with the suites that go along with one, empty unless given. */
  async publishTrixie(debs: readonly Deb[], security: readonly Deb[] = []): Promise<void> {
    await this.publish("trixie", debs);
    await this.publish("trixie-updates", []);
    await this.publish("trixie-security", security);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(new URL(request.url ?? "", "http://host").pathname);
    this.requests.push(path);
    const fault = this.faults.get(path);
    if (fault) return fault(request, response);
    const bytes = this.#files.get(path) ?? this.#snapshot(path);
    if (bytes === undefined) return void response.writeHead(404).end();
    serveRange(bytes, request, response);
  }

  #snapshot(path: string): Buffer | undefined {
    const all = [...this.#sha1s.values()];
    const file = /^\/snapshot\/file\/(.+)$/.exec(path)?.[1];
    if (file !== undefined) return all.find(({ sha1 }) => sha1 === file)?.deb.bytes;
    const binary = /^\/snapshot\/mr\/binary\/(.+)\/binfiles$/.exec(path)?.[1];
    const found = this.#sha1s.get(binary ?? "");
    if (found === undefined) return undefined;
    const { name, version, arch } = found.deb;
    const result = [{ architecture: arch, hash: found.sha1 }];
    return Buffer.from(JSON.stringify({ _comment: "foo", binary: name, binary_version: version, result }));
  }
}

/** The path the archive serves a package at. */
export function urlPath({ path }: Pick<DebianPackage, "path">): string {
  return `/${path.startsWith("pool/updates/") ? "debian-security" : "debian"}/${path}`;
}

/** As the lock has it. */
export function pinOf({ name, version, arch, sha256, size, path }: Deb): DebianPackage {
  return { name, version, arch, sha256, size, path };
}

export function serveRange(bytes: Buffer, request: IncomingMessage, response: ServerResponse): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const head = { "content-length": bytes.length - start };
  if (start === 0) return void response.writeHead(200, head).end(bytes);
  const range = { ...head, "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
  response.writeHead(206, range).end(bytes.subarray(start));
}

function indexStanza(deb: Deb): string {
  return `${deb.control}Filename: ${deb.path}\nSize: ${deb.size}\nSHA256: ${deb.sha256}\n`;
}

/** A temporary folder that is gone after the test. */
export async function temporaryFolder(onFinished: (done: () => Promise<void>) => void): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-lock-"));
  onFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** An image folder below `root` with this metadata.image. */
export async function imageFolder(root: string, path: string, image: object): Promise<string> {
  const folder = join(root, path);
  await mkdir(dirname(join(folder, "project.json")), { recursive: true });
  await writeFile(join(folder, "project.json"), JSON.stringify({ name: path, metadata: { image } }, null, 2));
  return folder;
}
