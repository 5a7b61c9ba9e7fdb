import { describe, expect, it } from "vitest";
import { readConfig } from "../src/config.ts";

describe("readConfig", () => {
  it("needs nothing", () => {
    expect(readConfig({})).toMatchObject({
      port: 8080,
      modelName: "lexical-384",
      worker: { MODEL_DIR: "/app/models/lexical-384", MODEL_SHA256: "", DEVICE: "cpu", THREADS: "" },
      shutdownMilliseconds: 25_000,
    });
  });

  it("names a model by its folder, unless told otherwise", () => {
    expect(readConfig({ MODEL_DIR: "/models/all-MiniLM-L6-v2" }).modelName).toBe("all-MiniLM-L6-v2");
    expect(readConfig({ MODEL_DIR: "/models/a", MODEL_NAME: "b" }).modelName).toBe("b");
  });

  it("tells everything that is wrong at once", () => {
    const environment = { PORT: "http", MODEL_DIR: "models", MODEL_SHA256: "abc", DEVICE: "tpu", QUEUE_TEXTS: "0" };
    expect(() => readConfig(environment)).toThrow(
      /PORT: a whole number\n {2}MODEL_DIR: an absolute path\n {2}MODEL_SHA256: 64 hex.*\n {2}DEVICE: .*\n {2}QUEUE_TEXTS: /,
    );
  });
});
