// A folder that several machines see: one of them serves it. The other machine is its trace in the folder, as a file server shows it.

import { once } from "node:events";
import { readFile, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { holdFolder } from "../src/holder.ts";
import { startTestRegistry, temporaryFolder } from "./harness.ts";
import { startProcess } from "./process.ts";

const OTHER = { id: "x", host: "nas-2", boot: "another", pid: 1 };

/** @param ageMs since the other machine was last heard of */
async function heldElsewhere(ageMs: number): Promise<string> {
  const folder = await temporaryFolder();
  const file = join(folder, "server.json");
  await writeFile(file, JSON.stringify(OTHER));
  const then = new Date(Date.now() - ageMs);
  await utimes(file, then, then);
  return folder;
}

/** A socket as another machine's server has it: from here, nobody answers at it. */
async function leaveSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}.made`);
  await once(server, "listening");
  await rename(`${path}.made`, path);
  await new Promise((done) => server.close(done));
}

describe("a folder on a file server", () => {
  it("that another machine serves is refused, and left as it is", async () => {
    const folder = await heldElsewhere(5_000);
    await expect(startTestRegistry({}, folder)).rejects.toThrow(
      `a registry on nas-2 runs on this folder already, ${folder}: stop it there; if that machine is gone, wait a minute`,
    );
    expect(JSON.parse(await readFile(join(folder, "server.json"), "utf8"))).toEqual(OTHER);
    await expect(stat(join(folder, "blobs"))).rejects.toThrow("ENOENT");
  });

  it("that another machine serves keeps that one's control socket, which nobody answers from here", async () => {
    const folder = await heldElsewhere(5_000);
    const socket = join(folder, "control.sock");
    await leaveSocket(socket);
    const { ino } = await stat(socket);
    await expect(startTestRegistry({}, folder)).rejects.toThrow("a registry on nas-2 runs on this folder already");
    expect((await stat(socket)).ino).toBe(ino);
  });

  it("keeps the control socket of who took it over", async () => {
    const folder = await temporaryFolder();
    const socket = join(folder, "control.sock");
    const registry = await startTestRegistry({}, folder);
    await rename(socket, `${socket}.first`);
    await leaveSocket(socket);
    const { ino } = await stat(socket);
    await registry.stop();
    expect((await stat(socket)).ino).toBe(ino);
  });

  it("has no control socket once its server has stopped", async () => {
    const folder = await temporaryFolder();
    const registry = await startTestRegistry({}, folder);
    expect((await readdir(folder)).filter((name) => name.startsWith("new."))).toEqual([]);
    expect((await stat(join(folder, "control.sock"))).mode & 0o777).toBe(0o600);
    await registry.stop();
    expect((await readdir(folder)).filter((name) => /sock|^new\./.test(name))).toEqual([]);
  });

  it("is taken over from a machine that was not heard of for long", async () => {
    const folder = await heldElsewhere(120_000);
    const registry = await startTestRegistry({}, folder);
    expect(JSON.parse(await readFile(join(folder, "server.json"), "utf8"))).toMatchObject({ pid: process.pid });
    await registry.stop();
    await expect(stat(join(folder, "server.json"))).rejects.toThrow("ENOENT");
  });

  it("is taken at once where this machine's own server died, in a container of another name too", async () => {
    const folder = await temporaryFolder();
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    await writeFile(join(folder, "server.json"), JSON.stringify({ ...OTHER, boot }));
    await startTestRegistry({}, folder);
  });

  it("is given up by who was silent for too long, and left to the other", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "server.json");
    let lost = "";
    const hold = await holdFolder(folder, (by) => void (lost = by), 20);
    await rm(file);
    // Deleted by hand: it is written again.
    await expect
      .poll(() => readFile(file, "utf8").catch(() => ""), { timeout: 30_000 })
      .toContain(`"pid":${process.pid}`);
    // Again and again, as a beat may be under way.
    const taken = async (): Promise<string> => (await writeFile(file, JSON.stringify(OTHER)), lost);
    await expect.poll(taken, { timeout: 30_000 }).toBe("nas-2");
    await hold.release();
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual(OTHER);
  });

  it("ends the process that lost it with an exit code of failure, so that systemd starts it again", async () => {
    const folder = await temporaryFolder();
    const { child } = await startProcess(folder);
    const ended = once(child, "exit");
    await writeFile(join(folder, "server.json"), JSON.stringify(OTHER));
    expect(await ended).toEqual([1, null]);
    expect(JSON.parse(await readFile(join(folder, "server.json"), "utf8"))).toEqual(OTHER);
  });

  it("with a torn trace is nobody's", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "server.json"), '{"id":');
    await startTestRegistry({}, folder);
  });
});
