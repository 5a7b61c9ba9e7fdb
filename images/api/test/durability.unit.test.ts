import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { synced } from "../src/database/durable-folder.ts";
import { openPGlite } from "../src/database/pglite.ts";
import { ImageStore } from "../src/image-store.ts";
import { migrate } from "../src/migrations/migrator.ts";
import { pgliteFolder } from "./support/pglite-folder.ts";
import { newName, recordOf } from "./support/records.ts";
import { runToEnd, Service } from "./support/service.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

/** Sends record after record, and calls `acknowledge` with the digest of each that was taken, until the service is gone. */
async function sendUntilGone(service: Service, name: string, acknowledge: (digest: string) => void): Promise<void> {
  for (;;) {
    const record = recordOf(name);
    const request = { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(record) };
    const answer = await fetch(`${service.url}/v1/images/${name}/${record.digest}`, request).catch(() => undefined);
    if (answer?.status !== 201) return;
    acknowledge(record.digest);
  }
}

async function historyOf(dataDir: string, name: string): Promise<string[]> {
  const database = await openPGlite(dataDir);
  const { items } = await new ImageStore(database).history(name, 100_000);
  await database.close();
  return items.map((entry) => entry.digest);
}

describe("a data directory", () => {
  it("still holds everything that was acknowledged after kill -9 among many writers, again and again", async () => {
    const dataDir = await pgliteFolder();
    const names = [newName(), newName(), newName(), newName()];
    const acknowledged: string[] = [];
    for (const enough of [5, 20, 50]) {
      const service = await Service.start({ env: { DATA_DIR: dataDir } });
      await service.listening();
      const acknowledge = (digest: string): void => {
        acknowledged.push(digest);
        if (acknowledged.length === enough) void service.kill("SIGKILL"); // while the other writers wait for their answers
      };
      await Promise.all(names.map((name) => sendUntilGone(service, name, acknowledge)));
      await service.ended();
    }
    const kept = new Set<string>();
    for (const name of names) for (const digest of await historyOf(dataDir, name)) kept.add(digest);
    expect(acknowledged.length).toBeGreaterThanOrEqual(50);
    expect(acknowledged.filter((digest) => !kept.has(digest))).toEqual([]);
  });

  it("is asked to reach the disk before a record is acknowledged", async () => {
    const database = await openPGlite(await pgliteFolder());
    await migrate(database);
    expect(await database.query("SHOW fsync")).toEqual([{ fsync: "on" }]);
    const store = new ImageStore(database);
    for (let i = 0; i < 3; i++) {
      const before = synced.count;
      await store.put(recordOf("api"));
      expect(synced.count).toBeGreaterThan(before);
    }
    await database.close();
  });

  it("is made whole: what a killed first start left is made anew", async () => {
    const dataDir = await temporaryFolder();
    const killed = await Service.start({ env: { DATA_DIR: dataDir } });
    while (!existsSync(join(dataDir, "cluster.new", "PG_VERSION")) && !existsSync(join(dataDir, "cluster"))) {
      await new Promise((resume) => setTimeout(resume, 5));
    }
    await killed.kill("SIGKILL");
    expect(await readdir(dataDir)).not.toContain("cluster");
    const database = await openPGlite(dataDir);
    expect(await migrate(database)).not.toEqual([]);
    await database.close();
    expect((await readdir(dataDir)).sort()).toEqual(["cluster"]);
  });

  it("is one process's at a time", async () => {
    const dataDir = await pgliteFolder();
    const first = await Service.start({ env: { DATA_DIR: dataDir } });
    await first.listening();
    const second = await runToEnd({ env: { DATA_DIR: dataDir } });
    expect(second.exitCode).toBe(1);
    expect(second.output).toMatch(/^\S+ is in use by another process: stop that one first.*\n$/);
    await first.kill("SIGKILL");
    const third = await Service.start({ env: { DATA_DIR: dataDir } });
    await third.listening();
  });

  it("that can't be made ends the program with the mend", async () => {
    const file = join(await temporaryFolder(), "file");
    await writeFile(file, "");
    const ended = await runToEnd({ env: { DATA_DIR: join(file, "data") } });
    expect(ended.exitCode).toBe(1);
    expect(ended.output).toMatch(/^DATA_DIR \S+ can't be written: mount a volume there .*, or set DATABASE_URL\n$/);
  });
});
