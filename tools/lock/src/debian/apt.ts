// Debian's own solver, apt, in folders of our own: the host's sources, state, architecture and hooks play no part, so the
// answer depends on the suite alone. Only index files are read, so any architecture is solved on any host.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { WaybillError, run } from "@waybill/oci";
import type { DebianPackage } from "../schema.ts";
import { makeAptFolder } from "./apt-folder.ts";
import type { DebianArchitecture, DebianSources } from "./archive.ts";

export interface AptOptions {
  sources: DebianSources;
  arch: DebianArchitecture;
  /** The release, such as "trixie"; its -updates and -security come with it. */
  suite: string;
  /** Further suites, from which only what asks for them is taken. */
  extraSuites: readonly string[];
  onProgress?: ((line: string) => void) | undefined;
}

const opened = new Map<string, Promise<Apt>>();

/**
 * An apt with fresh indexes. Those of one suite and architecture are fetched once a run.
 * @throws {WaybillError} no apt on this machine, no keyring, or an index that can't be fetched or whose signature is wrong
 */
export function openApt(options: AptOptions): Promise<Apt> {
  const { sources, arch, suite, extraSuites } = options;
  const key = JSON.stringify([sources, arch, suite, extraSuites]);
  const known = opened.get(key);
  if (known) return known;
  const apt = Apt.open(options);
  opened.set(key, apt);
  apt.catch(() => opened.delete(key));
  return apt;
}

export class Apt {
  readonly #folder: string;
  readonly #options: AptOptions;

  private constructor(folder: string, options: AptOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  static async open(options: AptOptions): Promise<Apt> {
    const folder = await makeAptFolder(options);
    const apt = new Apt(folder, options);
    await apt.#update();
    return apt;
  }

  /**
   * What installing `names` ("name" or "name/suite") takes, with dependencies and without recommendations.
   * @param status dpkg status stanzas of what counts as installed
   */
  async solve(names: readonly string[], status: string): Promise<DebianPackage[]> {
    const file = join(this.#folder, `status-${crypto.randomUUID()}`);
    await writeFile(file, status);
    const args = ["install", "--yes", "--print-uris", "-q", "-o", `Dir::State::status=${file}`, "--", ...names];
    return this.#parseUris(await this.#run("apt-get", args, "could not solve the packages"));
  }

  /** The newest of exactly these names. */
  async candidates(names: readonly string[]): Promise<DebianPackage[]> {
    const args = ["download", "--print-uris", "-qq", "--", ...names];
    return names.length === 0 ? [] : this.#parseUris(await this.#run("apt-get", args, "could not find the packages"));
  }

  /** The index entries of these names, every version the suites have; names the suites lack are left out. */
  async stanzas(names: readonly string[]): Promise<string[]> {
    if (names.length === 0) return [];
    const { stdout } = await this.#exec("apt-cache", ["show", "--", ...names]);
    return stdout.split(/\n\n+/).filter((stanza) => stanza.startsWith("Package: "));
  }

  /** Which suite offers which version of these names. */
  async offers(names: readonly string[]): Promise<{ name: string; version: string; suite: string }[]> {
    if (names.length === 0) return [];
    const { stdout } = await this.#exec("apt-cache", ["madison", "--", ...names]);
    return stdout.split("\n").flatMap((line) => {
      // name | version | address suite/component architecture Packages
      const [name = "", version = "", from = ""] = line.split("|").map((cell) => cell.trim());
      const suite = from.split(" ")[1]?.split("/")[0];
      return suite === undefined ? [] : [{ name, version, suite }];
    });
  }

  async #update(): Promise<void> {
    const { suite, arch, onProgress } = this.#options;
    onProgress?.(`reading the indexes of Debian ${suite} for ${arch}`);
    // By default apt only warns when an index is unsigned, unreachable or stale.
    await this.#run("apt-get", ["update", "-qq", "--error-on=any"], `could not read the indexes of Debian ${suite}`);
  }

  async #run(command: string, args: readonly string[], what: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#exec(command, args);
    if (exitCode === 0) return stdout;
    const { suite, arch, sources } = this.#options;
    throw new WaybillError(`${what}: ${explain(stdout + stderr)}`, {
      where: `Debian ${suite} ${arch} at ${sources.archive}`,
      mend: "check the names in project.json, the mirror (WAYBILL_DEBIAN_MIRROR) and the keyring (WAYBILL_DEBIAN_KEYRING)",
    });
  }

  #exec(command: string, args: readonly string[]): ReturnType<typeof run> {
    return run(command, args, { env: { APT_CONFIG: join(this.#folder, "apt.conf"), LC_ALL: "C" } });
  }

  #parseUris(stdout: string): DebianPackage[] {
    const { archive, security } = this.#options.sources;
    return stdout
      .split("\n")
      .filter((line) => line.startsWith("'"))
      .map((line) => parseUri(line, [security, archive]));
  }
}

/** Reads one line of --print-uris: 'URL' file-name size SHA256:hex. */
function parseUri(line: string, roots: readonly string[]): DebianPackage {
  const match = /^'([^']+)' ([^_ ]+)_([^_ ]+)_([^_ ]+)\.deb (\d+) SHA256:([0-9a-f]{64})$/.exec(line.trimEnd());
  const root = roots.find((one) => match?.[1]?.startsWith(`${one}/`));
  if (!match || root === undefined) throw new Error(`apt printed an unknown line: ${line}`);
  const [, url = "", name = "", version = "", arch = "", size, sha256 = ""] = match;
  const path = decodeURIComponent(url.slice(root.length + 1));
  return { name, version: decodeURIComponent(version), arch, sha256, size: Number(size), path };
}

/** apt's reasons, in one line. */
function explain(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  const reasons = lines.filter((line) => /^[EW]:|Depends:|but it is not|not installable/.test(line));
  return [...new Set(reasons)].slice(0, 6).join("; ") || (lines.findLast((line) => line !== "") ?? "no reason given");
}
