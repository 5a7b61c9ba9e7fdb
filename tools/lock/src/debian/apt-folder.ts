// The private folders apt works in here: its configuration, sources and state, none of them the host's.

import { existsSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WaybillError, run } from "@waybill/oci";
import type { AptOptions } from "./apt.ts";

const PREFIX = "waybill-apt-";

/**
 * Makes a folder for apt that is gone when this process ends. Its configuration is the file apt.conf in it.
 * @throws {WaybillError} no apt on this machine, or no keyring
 */
export async function makeAptFolder(options: AptOptions): Promise<string> {
  const settings = await hostSettings();
  if (!existsSync(options.sources.keyring)) throw noKeyring(options.sources.keyring);
  await sweep();
  const folder = await mkdtemp(join(tmpdir(), PREFIX));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const sub of ["etc/parts", "etc/sources.list.d", "etc/preferences.d", "state/lists/partial", "cache"]) {
    await mkdir(join(folder, sub), { recursive: true });
  }
  await writeFile(join(folder, "apt.conf"), configuration(folder, options.arch) + settings);
  await writeFile(join(folder, "status"), "");
  await writeFile(join(folder, "etc/sources.list.d/debian.sources"), sourceList(options));
  await writeFile(join(folder, "etc/preferences.d/extra"), preferences(options.extraSuites));
  return folder;
}

/** Takes away the folders of runs that were killed and so couldn't: those older than a day, in milliseconds. */
async function sweep(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX));
  for (const folder of names.map((name) => join(tmpdir(), name))) {
    const found = await stat(folder).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > 86_400_000)
      await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

function configuration(folder: string, arch: string): string {
  return `Dir "${folder}/";
Dir::Etc "etc/";
Dir::Etc::main "none";
Dir::Etc::parts "parts/";
Dir::State "state/";
Dir::State::status "${folder}/status";
Dir::Cache "cache/";
APT::Architecture "${arch}";
APT::Architectures { "${arch}"; };
APT::Sandbox::User "root";
APT::Solver "internal";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::ForceHash "SHA256";
Acquire::Retries "3";
`;
}

function sourceList({ sources, suite, extraSuites }: AptOptions): string {
  const entry = (uri: string, suites: string[]): string =>
    `Types: deb\nURIs: ${uri}\nSuites: ${suites.join(" ")}\nComponents: main\nSigned-By: ${sources.keyring}\n`;
  const main = entry(sources.archive, [suite, `${suite}-updates`, ...extraSuites]);
  return `${main}\n${entry(sources.security, [`${suite}-security`])}`;
}

/** Below the 500 of ordinary suites: taken only when asked for by name, or needed by what was. */
function preferences(extraSuites: readonly string[]): string {
  return extraSuites.map((suite) => `Package: *\nPin: release n=${suite}\nPin-Priority: 100\n`).join("\n");
}

/** The host's way to the network (proxies, clock checks) is the one thing of its apt that counts here too. */
async function hostSettings(): Promise<string> {
  const found = await run("apt-config", ["dump", "--format", '%F "%v";%n', "Acquire"]).catch(noApt);
  return found.stdout
    .split("\n")
    .filter((line) => /^Acquire::(https?::|Check-Valid-Until|Check-Date)/.test(line) && !line.endsWith('"";'))
    .map((line) => `${line}\n`)
    .join("");
}

function noApt(cause: unknown): never {
  throw new WaybillError("this machine has no apt, which resolves Debian packages", {
    mend: "run it on Debian or Ubuntu (apt-get install apt debian-archive-keyring), or in a debian container",
    cause,
  });
}

function noKeyring(file: string): WaybillError {
  return new WaybillError("the keys that sign Debian's indexes are missing", {
    where: file,
    mend: "apt-get install debian-archive-keyring, or name another keyring in WAYBILL_DEBIAN_KEYRING",
  });
}
