/** How requests become batches. The worker is a function here, that answers when the test says so. */
import { describe, expect, it, vi } from "vitest";
import { Batcher, QueueFull } from "../src/batcher.ts";
import type { Answer, Question } from "../src/worker/protocol.ts";
import { BatchFailed, WorkerGone } from "../src/worker/worker.ts";

/** Answers each text with its length, and each pair with that of query and document. */
function answerTo(question: Question): Answer {
  const texts =
    "texts" in question
      ? question.texts
      : question.pairs.map(([query, document]) => `${question.queries[query]}${document}`);
  return {
    values: Buffer.from(Float32Array.from(texts.map(({ length }) => length)).buffer),
    tokens: texts.map(({ length }) => length),
  };
}

function batcherOf(limits: { batchTexts?: number; queueTexts?: number; queueCharacters?: number } = {}) {
  const asked: { question: Question; answer: PromiseWithResolvers<Answer> }[] = [];
  const batcher = new Batcher({
    batchTexts: 4,
    queueTexts: 100,
    queueCharacters: 1000,
    ...limits,
    ask: (question) => {
      const answer = Promise.withResolvers<Answer>();
      asked.push({ question, answer });
      return answer.promise;
    },
  });
  /** Lets the nth batch be answered, once it was asked. */
  const release = async (index: number): Promise<void> => {
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(index));
    const { question, answer } = asked[index]!;
    answer.resolve(answerTo(question));
  };
  return { batcher, asked, release };
}

const numbers = (values: Buffer[]): number[] => values.map((value) => value.readFloatLE(0));

describe("Batcher", () => {
  it("sends the first at once, and what comes meanwhile together", async () => {
    const { batcher, asked, release } = batcherOf();
    const results = [
      batcher.add(undefined, ["a"]),
      batcher.add(undefined, ["bb"]),
      batcher.add(undefined, ["ccc", "dddd"]),
    ];
    await release(0);
    await release(1);
    expect(asked.map(({ question }) => question)).toEqual([{ texts: ["a"] }, { texts: ["bb", "ccc", "dddd"] }]);
    expect((await Promise.all(results)).map(({ values }) => numbers(values))).toEqual([[1], [2], [3, 4]]);
  });

  it("cuts large requests into batches and keeps their order", async () => {
    const { batcher, asked, release } = batcherOf();
    const inputs = Array.from({ length: 10 }, (_, index) => "x".repeat(index));
    const result = batcher.add(undefined, inputs);
    for (const index of [0, 1, 2]) await release(index);
    expect(numbers((await result).values)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(asked).toHaveLength(3);
  });

  it("scores documents of several queries in one batch, apart from embeddings", async () => {
    const { batcher, asked, release } = batcherOf();
    const embedded = batcher.add(undefined, ["a"]);
    const [one, other] = [batcher.add("q", ["d", "dd"]), batcher.add("qq", ["d"])];
    const last = batcher.add(undefined, ["b"]);
    for (const index of [0, 1, 2]) await release(index);
    expect(asked[1]?.question).toEqual({
      queries: ["q", "qq"],
      pairs: [
        [0, "d"],
        [0, "dd"],
        [1, "d"],
      ],
    });
    const results = await Promise.all([embedded, one, other, last]);
    expect(results.map(({ values }) => numbers(values))).toEqual([[1], [2, 3], [3], [1]]);
  });

  it("refuses what does not fit, and takes it when there is room again", async () => {
    const { batcher, release } = batcherOf({ queueTexts: 2 });
    const first = batcher.add(undefined, ["a"]); // goes to the worker, and waits no more
    const second = batcher.add(undefined, ["b", "c"]);
    expect(batcher.waiting).toBe(2);
    expect(() => batcher.add(undefined, ["d"])).toThrow(QueueFull);
    await release(0);
    await release(1);
    await Promise.all([first, second]);
    const third = batcher.add(undefined, ["d"]);
    await release(2);
    expect(numbers((await third).values)).toEqual([1]);
  });

  it("refuses what memory can't hold, though one request alone always fits", async () => {
    const { batcher, release } = batcherOf({ queueCharacters: 5 });
    const results = [batcher.add(undefined, ["a"]), batcher.add(undefined, ["x".repeat(100)])];
    expect(() => batcher.add(undefined, ["b"])).toThrow(QueueFull);
    for (const index of [0, 1]) await release(index);
    expect((await Promise.all(results)).map(({ values }) => numbers(values))).toEqual([[1], [100]]);
    for (const text of ["abc", "de"]) results.push(batcher.add(undefined, [text]));
    for (const index of [2, 3]) await release(index);
    await Promise.all(results);
  });

  it("takes out of the queue what nobody waits for any more", async () => {
    const { batcher, asked, release } = batcherOf();
    const client = new AbortController();
    const first = batcher.add(undefined, ["a"]);
    const gone = batcher.add(undefined, ["b", "c"], client.signal);
    const last = batcher.add(undefined, ["d"]);
    client.abort(new Error("gone"));
    await expect(gone).rejects.toThrow("gone");
    expect(batcher.waiting).toBe(1);
    await release(0);
    await release(1);
    await Promise.all([first, last]);
    expect(asked.map(({ question }) => question)).toEqual([{ texts: ["a"] }, { texts: ["d"] }]);
  });

  it("fails those whose batch failed, and goes on with the others", async () => {
    const { batcher, asked, release } = batcherOf({ batchTexts: 2 });
    const first = batcher.add(undefined, ["a", "b", "c"]);
    const second = batcher.add(undefined, ["d"]);
    asked[0]!.answer.reject(new Error("no"));
    await expect(first).rejects.toThrow("no");
    await release(1);
    expect(numbers((await second).values)).toEqual([1]);
    expect(asked[1]?.question).toEqual({ texts: ["d"] }); // "c" has nobody to go to
    expect(batcher.waiting).toBe(0);
  });

  it("asks again for each request alone when the batch of several failed", async () => {
    const { batcher, asked, release } = batcherOf();
    const first = batcher.add(undefined, ["a"]);
    const [good, bad, other] = [batcher.add(undefined, ["b"]), batcher.add(undefined, ["c"]), batcher.add("q", ["d"])];
    await release(0);
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    asked[1]!.answer.reject(new BatchFailed("no"));
    await release(2);
    await vi.waitFor(() => expect(asked).toHaveLength(4));
    asked[3]!.answer.reject(new BatchFailed("no"));
    await expect(bad).rejects.toThrow(BatchFailed);
    await release(4);
    expect((await Promise.all([first, good, other])).map(({ values }) => numbers(values))).toEqual([[1], [1], [2]]);
  });

  it("sends all that wait away when the worker is gone", async () => {
    const { batcher, asked } = batcherOf();
    const results = [batcher.add(undefined, ["a"]), batcher.add(undefined, ["b"]), batcher.add("q", ["c"])];
    const outcomes = Promise.allSettled(results);
    asked[0]!.answer.reject(new WorkerGone("died"));
    batcher.failWaiting(new WorkerGone("died"));
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(batcher.waiting).toBe(0);
    expect(asked).toHaveLength(1);
  });
});
