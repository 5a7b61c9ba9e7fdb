/** What becomes of workers that die, hang or can't be started; real processes, that do as they are told. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Failure } from "../src/failure.ts";
import { BatchFailed, WorkerGone } from "../src/worker/worker.ts";
import { supervise, untilUp } from "./support/supervised.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

describe("Supervisor", () => {
  it("tells what the model is, and asks the worker", async () => {
    const { supervisor, lines } = supervise();
    await untilUp(supervisor);
    expect(supervisor.model).toMatchObject({ kind: "embedding", dimensions: 2 });
    const { values, tokens } = await supervisor.ask({ texts: ["two words"] });
    expect([values.readFloatLE(0), values.readFloatLE(4), ...tokens]).toEqual([2, 9, 2]);
    expect(lines).toEqual(["loading"]);
  });

  it("starts another when one dies, and answers nobody meanwhile", async () => {
    const { supervisor } = supervise();
    await untilUp(supervisor);
    const down = once(supervisor, "down");
    await expect(supervisor.ask({ texts: ["die"] })).rejects.toThrow(WorkerGone);
    expect(await down).toEqual(["SIGKILL"]);
    expect(supervisor.model).toBeUndefined();
    await expect(supervisor.ask({ texts: ["one"] })).rejects.toThrow(WorkerGone);
    await untilUp(supervisor);
    expect((await supervisor.ask({ texts: ["one"] })).tokens).toEqual([1]);
  });

  it("goes on for ever with a worker that dies now and then", async () => {
    const { supervisor } = supervise({}, { starts: 2 });
    for (let death = 0; death < 4; death++) {
      await untilUp(supervisor);
      await supervisor.ask({ texts: ["one"] });
      const down = once(supervisor, "down");
      await expect(supervisor.ask({ texts: ["die"] })).rejects.toThrow(WorkerGone);
      await down;
    }
  });

  it("gives up on one that never answers a batch", async () => {
    const { running } = supervise({ BEHAVIOUR: "die" });
    const failure = await running.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ exitCode: 1, message: expect.stringContaining("3 times in a row (SIGKILL)") });
  });

  it("does not start a second one for a model that is no good", async () => {
    const { running } = supervise({ BEHAVIOUR: "fault" });
    await expect(running).rejects.toMatchObject({ exitCode: 2, message: "the model is no good" });
  });

  it("kills one that is silent for too long", async () => {
    const { supervisor } = supervise({}, { batch: 100 });
    await untilUp(supervisor);
    await expect(supervisor.ask({ texts: ["hang"] })).rejects.toThrow("the worker ended: SIGKILL");
  });

  it("keeps one whose batch failed", async () => {
    const { supervisor } = supervise();
    await untilUp(supervisor);
    await expect(supervisor.ask({ texts: ["fail"] })).rejects.toThrow(BatchFailed);
    expect((await supervisor.ask({ texts: ["one"] })).tokens).toEqual([1]);
  });

  it("lets an idle one end, and starts no other", async () => {
    const { supervisor, running } = supervise();
    await untilUp(supervisor);
    await supervisor.stop();
    await running;
    expect(supervisor.model).toBeUndefined();
  });

  it("stops while it waits for the next start", async () => {
    const { supervisor, running } = supervise({ BEHAVIOUR: "die" }, { firstDelay: 600_000, longestDelay: 600_000 });
    await once(supervisor, "down");
    await supervisor.stop();
    await running;
  });

  it("says when the program is not there", async () => {
    const { running } = supervise({}, { starts: 1 }, ["/nowhere/python"]);
    await expect(running).rejects.toThrow("spawn /nowhere/python ENOENT");
  });

  it("waits for a batch that takes its time", async () => {
    const { supervisor } = supervise();
    await untilUp(supervisor);
    const file = join(await temporaryFolder(), "go");
    const answer = supervisor.ask({ texts: [`hold ${file}`] });
    await writeFile(file, "");
    expect((await answer).tokens).toEqual([2]);
  });
});
