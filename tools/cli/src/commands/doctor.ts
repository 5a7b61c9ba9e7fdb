// waybill doctor: what this machine has and lacks, with the command that mends each.

import { mkdir, statfs } from "node:fs/promises";
import {
  ENGINES,
  availability,
  cacheHome,
  chooseEngine,
  embeddedIsInstalled,
  emulatedPlatforms,
  engineAnswers,
  hostCa,
  hostPlatform,
  onPath,
} from "@waybill/engine";
import { run } from "@waybill/oci";
import { type Command } from "../command.ts";
import { formatBytes, formatTable } from "@waybill/format";

interface Finding {
  what: string;
  state: "ok" | "missing" | "optional";
  detail: string;
  mend: string;
}

/** Programs that tests start for real, by Debian package. */
const FOR_TESTS: Record<string, string> = {
  "docker-registry": "docker-registry",
  skopeo: "skopeo",
  openssl: "openssl",
  gpg: "gnupg",
};

export const command: Command = {
  summary: "shows what this machine has and lacks, and how to mend it",
  usage: "",
  options: {},
  async run(_positionals, values) {
    const findings = [await node(), ...(await engines()), emulation(), ca(), await disk(), ...forTests()];
    if (values["json"] === true) console.log(JSON.stringify(findings));
    else {
      const rows = findings.map(({ what, state, detail, mend }) => [what, state, detail, state === "ok" ? "" : mend]);
      console.log(formatTable(["what", "state", "found", "mend"], rows));
    }
    return findings.some(({ state }) => state === "missing") ? 1 : 0;
  },
};

async function node(): Promise<Finding> {
  const major = Number(process.versions.node.split(".")[0]);
  return {
    what: "Node",
    state: major >= 24 ? "ok" : "missing",
    detail: process.version,
    mend: "npm ci (it brings Node 24), or install Node 24",
  };
}

async function engines(): Promise<Finding[]> {
  const chosen = nameOfChosen();
  const rows = ENGINES.map((name): Finding => {
    const state = availability(name);
    const mark = name === chosen ? " (used)" : "";
    if (state.usable) return { what: `engine ${name}`, state: "ok", detail: state.detail + mark, mend: "" };
    return { what: `engine ${name}`, state: "optional", detail: state.reason, mend: state.mend };
  });
  if (chosen === undefined)
    rows.push({ what: "an engine", state: "missing", detail: "none of the above", mend: "any one will do" });
  if (chosen === "embedded") {
    const installed = embeddedIsInstalled();
    const running = (await engineAnswers()) ? "running" : "stopped";
    rows.push({
      what: "private engine",
      state: installed ? "ok" : "optional",
      detail: installed ? `installed, ${running}` : "not installed yet",
      mend: "npx waybill engine install (the first build does it too)",
    });
    const runc = onPath("runc", `${process.env["PATH"]}:/usr/sbin`);
    rows.push({
      what: "runc",
      state: runc === undefined ? "missing" : "ok",
      detail: runc ?? "",
      mend: "sudo apt-get install runc",
    });
  }
  if (chosen === "docker") rows.push(await buildxVersion());
  // buildah builds only.
  if (chosen === "buildah") rows.push(forTest("podman", "podman"));
  return rows;
}

function nameOfChosen(): string | undefined {
  try {
    return chooseEngine().name;
  } catch {
    return undefined;
  }
}

async function buildxVersion(): Promise<Finding> {
  const { stdout } = await run("docker", ["buildx", "inspect"]);
  const version = /BuildKit(?: version)?:\s*v?([\d.]+)/.exec(stdout)?.[1];
  const good = version !== undefined && version.localeCompare("0.13", undefined, { numeric: true }) >= 0;
  return {
    what: "BuildKit",
    state: good ? "ok" : "missing",
    detail: version ?? "unknown",
    mend: "docker buildx create --use --driver docker-container",
  };
}

function emulation(): Finding {
  const platforms = emulatedPlatforms().filter((platform) => platform !== hostPlatform());
  const none = `none: RUN works for ${hostPlatform()} alone, the rest is cross-built`;
  return {
    what: "emulation",
    state: platforms.length > 0 ? "ok" : "optional",
    detail: platforms.join(", ") || none,
    mend: "sudo apt-get install qemu-user-static binfmt-support (docs/multi-arch.md)",
  };
}

function ca(): Finding {
  const file = hostCa();
  return {
    what: "CA bundle",
    state: file === undefined ? "optional" : "ok",
    detail: file ?? "none",
    mend: "set WAYBILL_CA if a proxy inspects TLS",
  };
}

/** A build of the whole fleet from cold takes about this many bytes. */
const ROOM = 8e9;

async function disk(): Promise<Finding> {
  await mkdir(cacheHome(), { recursive: true });
  const { bavail, bsize } = await statfs(cacheHome());
  const free = bavail * bsize;
  return {
    what: "disk",
    state: free > ROOM ? "ok" : "missing",
    detail: `${formatBytes(free)} free in ${cacheHome()}`,
    mend: `free ${formatBytes(ROOM)}, or point WAYBILL_CACHE elsewhere`,
  };
}

const forTests = (): Finding[] => Object.entries(FOR_TESTS).map(([program, debian]) => forTest(program, debian));

function forTest(program: string, debian: string): Finding {
  const found = onPath(program);
  return {
    what: program,
    state: found === undefined ? "optional" : "ok",
    detail: found ?? "not installed, tests need it",
    mend: `sudo apt-get install ${debian}`,
  };
}
