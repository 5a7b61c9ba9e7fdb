// Decides which engine builds here: what was asked for (flag, environment, nx.json), else the best that works.

import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { WaybillError } from "@waybill/oci";
import { Buildah } from "./buildah.ts";
import { Buildx } from "./buildx.ts";
import { buildxPlugin, clientEnv, embeddedPaths, isInstalled } from "./embedded/paths.ts";
import { startEmbedded } from "./embedded/lifecycle.ts";
import { mayBeRoot } from "./embedded/privilege.ts";
import type { Availability, Engine, EngineName } from "./engine.ts";
import { nxContainerArguments } from "./nx-container.ts";
import { onPath } from "./on-path.ts";

/** In order of preference. */
export const ENGINES: readonly EngineName[] = ["docker", "embedded", "buildah"];

/** @param asked a flag's or a setting's value, which wins over WAYBILL_ENGINE */
export function chooseEngine(asked?: string): Engine {
  const name = asked ?? process.env["WAYBILL_ENGINE"];
  if (name !== undefined) return make(assertName(name));
  const found = ENGINES.find((engine) => availability(engine).usable);
  if (found !== undefined) return make(found);
  throw new WaybillError("no container engine can be used here", {
    mend: "`npx waybill doctor` shows what each one needs",
  });
}

function assertName(name: string): EngineName {
  const engine = ENGINES.find((each) => each === name);
  if (engine === undefined)
    throw new WaybillError(`unknown engine "${name}"`, { mend: `use one of ${ENGINES.join(", ")}` });
  const state = availability(engine);
  if (!state.usable)
    throw new WaybillError(`the engine ${engine} can't be used: ${state.reason}`, { mend: state.mend });
  return engine;
}

function make(name: EngineName): Engine {
  if (name === "buildah") return new Buildah();
  if (name === "docker") {
    const start = async (): Promise<void> => {};
    return new Buildx({
      name,
      env: () => ({}),
      buildx: () => ["docker", "buildx"],
      start,
      hostNetwork: false,
      adapt: nxContainerArguments,
    });
  }
  return new Buildx({
    name,
    env: () => clientEnv(),
    buildx: () => [buildxPlugin()],
    start: startPrivate,
    hostNetwork: true,
  });
}

async function startPrivate(): Promise<void> {
  if (!isInstalled()) {
    const { installEmbedded } = await import("./embedded/install.ts");
    await installEmbedded((line) => process.stderr.write(`waybill: ${line}\n`));
  }
  await startEmbedded();
}

/** Cheap, as it runs on every build: it looks at files, and asks sudo at most. */
export function availability(name: EngineName): Availability {
  if (name === "docker") return dockerAvailability();
  if (name === "embedded") return embeddedAvailability();
  const program = onPath("buildah");
  if (program === undefined)
    return { usable: false, reason: "buildah is not installed", mend: "sudo apt-get install buildah podman uidmap" };
  if (process.getuid?.() !== 0 && onPath("newuidmap") === undefined)
    return { usable: false, reason: "buildah without root needs uidmap", mend: "sudo apt-get install uidmap" };
  return { usable: true, detail: program };
}

function dockerAvailability(): Availability {
  const program = onPath("docker");
  if (program === undefined)
    return { usable: false, reason: "there is no docker client", mend: "install Docker 26 or later" };
  const host = process.env["DOCKER_HOST"] ?? currentContext() ?? socket("/var/run/docker.sock");
  if (host === undefined) return { usable: false, reason: "no docker server runs", mend: "start Docker" };
  if (!hasBuildx()) return { usable: false, reason: "docker has no buildx", mend: "install docker-buildx" };
  return { usable: true, detail: `${program} at ${host}` };
}

const socket = (path: string): string | undefined => (existsSync(path) ? path : undefined);

const dockerConfig = (): string => process.env["DOCKER_CONFIG"] ?? join(homedir(), ".docker");

function currentContext(): string | undefined {
  if (process.env["DOCKER_CONTEXT"] !== undefined) return process.env["DOCKER_CONTEXT"];
  try {
    const config = JSON.parse(readFileSync(join(dockerConfig(), "config.json"), "utf8")) as { currentContext?: string };
    return config.currentContext === "default" ? undefined : config.currentContext;
  } catch {
    return undefined;
  }
}

function hasBuildx(): boolean {
  const folders = [join(dockerConfig(), "cli-plugins")];
  for (const prefix of ["/usr/local", "/usr"]) {
    folders.push(...["lib", "libexec"].map((folder) => join(prefix, folder, "docker", "cli-plugins")));
  }
  return folders.some((folder) => existsSync(join(folder, "docker-buildx")));
}

function embeddedAvailability(): Availability {
  if (process.platform !== "linux" || onPath("dpkg-deb") === undefined) {
    return { usable: false, reason: "the private engine needs Debian or Ubuntu", mend: "install Docker 26 or later" };
  }
  // Where it runs already, nothing needs to be asked.
  if (!existsSync(embeddedPaths().docker) && !mayBeRoot()) {
    return {
      usable: false,
      reason: "the private engine needs root, or sudo without a password",
      mend: "run `sudo -v` before, or install Docker 26 or later",
    };
  }
  return { usable: true, detail: "private BuildKit, started on demand" };
}
