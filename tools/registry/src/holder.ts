// One server a folder, where the folder is shared between machines (NFS): a socket tells of servers on this machine only. So whoever
// serves writes its name into the folder, again and again; a name that is fresh and another machine's keeps others out. Ages are told by
// the file system's own clock, which is the same for all.

import { randomUUID } from "node:crypto";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "@waybill/oci/atomic";
import { WaybillError } from "@waybill/oci/error";

const NAME = "server.json";
const BEAT_MS = 15_000;
/** Four beats: a machine that was busy, or a file server that restarted, is no machine that is gone. */
const GONE_AFTER_MS = 60_000;

const schema = z.object({ id: z.string(), host: z.string(), boot: z.string(), pid: z.number() });
type Holder = z.output<typeof schema>;

export interface Hold {
  release(): Promise<void>;
}

/**
 * @param onLost another machine took the folder: this one was silent for too long
 * @param beatMs how often its name is written
 * @throws {WaybillError} a server of another machine has it
 */
export async function holdFolder(folder: string, onLost: (by: string) => void, beatMs = BEAT_MS): Promise<Hold> {
  await refuseHeldElsewhere(folder);
  const file = join(folder, NAME);
  const own: Holder = { id: randomUUID(), ...(await thisMachine()), pid: process.pid };
  const write = async (): Promise<void> => await writeFileAtomic(file, `${JSON.stringify(own)}\n`, undefined, false);
  await write();
  const beat = async (): Promise<void> => {
    const now = await read(file);
    if (now === undefined || now.id === own.id) return await write();
    clearInterval(timer);
    onLost(now.host);
  };
  // A disk that is full or away for a while is no reason to stop serving.
  const timer = setInterval(() => void beat().catch(() => {}), beatMs);
  timer.unref();
  return {
    async release() {
      clearInterval(timer);
      if ((await read(file))?.id === own.id) await rm(file, { force: true });
    },
  };
}

/**
 * Touches nothing that the other one needs.
 * @throws {WaybillError} a server of another machine has the folder
 */
export async function refuseHeldElsewhere(folder: string): Promise<void> {
  const file = join(folder, NAME);
  const other = await read(file);
  if (other === undefined || isOfThisMachine(other, await thisMachine()) || (await ageOf(file)) >= GONE_AFTER_MS)
    return;
  throw new WaybillError(`a registry on ${other.host} runs on this folder already`, {
    where: folder,
    mend: "stop it there; if that machine is gone, wait a minute",
  });
}

type Machine = Pick<Holder, "host" | "boot">;

const thisMachine = async (): Promise<Machine> => ({ host: hostname(), boot: await bootId() });

/** Its server is dead, or its socket would have answered. Containers have names of their own, but the machine's boot. */
function isOfThisMachine(other: Machine, own: Machine): boolean {
  return other.host === own.host || (own.boot !== "" && other.boot === own.boot);
}

/** Changes when a machine starts; empty where the system has none. */
async function bootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim();
}

async function read(file: string): Promise<Holder | undefined> {
  const text = await readFile(file, "utf8").catch(() => "{}");
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // Torn by a power cut: nobody holds it.
  }
}

/** In milliseconds. */
async function ageOf(file: string): Promise<number> {
  const probe = `${file}.${randomUUID()}`;
  try {
    await writeFile(probe, "");
    const [now, then] = await Promise.all([stat(probe), stat(file)]);
    return now.mtimeMs - then.mtimeMs;
  } finally {
    await rm(probe, { force: true });
  }
}
