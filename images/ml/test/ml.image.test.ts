/** The built image, run as it will be: read-only root, no capabilities, an ordinary user; with the model that it brings. */
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type BuiltImage, builtImage, type Container, type ContainerOptions, freePort } from "@waybill/testing";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "./support/temporary-folder.ts";

const PATIENCE = 60_000;

let image: BuiltImage;
beforeAll(async () => void (image = await builtImage("ml")), 300_000);

interface Running {
  readonly container: Container;
  readonly port: number;
  readonly url: string;
}

async function serve(env: Record<string, string> = {}, options: ContainerOptions = {}): Promise<Running> {
  const port = await freePort();
  const container = await image.run({ ...options, env: { HOST: "127.0.0.1", PORT: String(port), ...env } });
  await container.logged(/the model is loaded/, PATIENCE);
  return { container, port, url: `http://127.0.0.1:${port}` };
}

function post(url: string, path: string, body: object): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
}

async function embed(url: string, input: string | string[]): Promise<number[][]> {
  const response = await post(url, "/v1/embeddings", { input });
  expect(response.status).toBe(200);
  const { data } = (await response.json()) as { data: { embedding: number[] }[] };
  return data.map(({ embedding }) => embedding);
}

const sha256Of = (data: Buffer | string): string => createHash("sha256").update(data).digest("hex");

const cosine = (one: number[], other: number[]): number =>
  one.reduce((sum, value, index) => sum + value * (other[index] as number), 0);

const difference = (one: number[], other: number[]): number =>
  Math.max(...one.map((value, index) => Math.abs(value - (other[index] as number))));

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}

/** Kills the worker as the kernel would when memory runs out: from another container that sees its processes. */
async function killWorker(container: Container): Promise<void> {
  const program = [
    "import os, glob, signal",
    "pids = [int(f.split('/')[2]) for f in glob.glob('/proc/[0-9]*/cmdline') if open(f, 'rb').read().endswith(b'\\0ml_worker\\0')]",
    "[os.kill(pid, signal.SIGKILL) for pid in pids]",
    "print(len(pids))",
  ].join("\n");
  const flags = [`--pid=container:${container.name}`];
  const killer = await image.run({ entrypoint: "/usr/bin/python3", args: ["-c", program], flags });
  expect(await killer.exited()).toMatchObject({ exitCode: 0 });
  expect(killer.stdout.trim()).toBe("1");
}

describe("the image's record", () => {
  it("has an ordinary user, the program without a shell, its port and a health check", () => {
    expect(image.record.platforms).toMatchObject([
      {
        platform: "linux/amd64",
        user: "65532:65532",
        entrypoint: ["/usr/local/bin/node", "/app/main.js"],
        exposedPorts: ["8080/tcp"],
        healthcheck: ["CMD", "/usr/local/bin/node", "/app/main.js", "health"],
      },
    ]);
    expect(image.record.variants).not.toHaveProperty("cuda"); // built where it is asked for
  });

  it("has what was made, and nothing of what made it", async () => {
    const program = [
      "import importlib.util, os, shutil",
      "print([name for name in ('sh', 'bash', 'npm', 'uv', 'pip') if shutil.which(name)])",
      "print([name for name in ('onnx', 'pytest', 'huggingface_hub', 'pip', 'sympy') if importlib.util.find_spec(name)])",
      "print([f for d, _, fs in os.walk('/app') for f in fs if f.endswith(('.ts', '.lock', '.pyi', '.pxd', '.h', '.toml'))])",
      "print([d for d, ds, _ in os.walk('/app') if d.endswith('/tests')])",
    ].join("\n");
    const container = await image.run({ entrypoint: "/app/venv/bin/python", args: ["-c", program], network: "none" });
    expect(await container.exited()).toMatchObject({ exitCode: 0 });
    expect(container.stdout).toBe("[]\n[]\n[]\n[]\n");
  });
});

describe("the service", { timeout: 300_000 }, () => {
  let service: Running;
  beforeAll(async () => void (service = await serve()), 120_000);

  it("tells of its model, the one that is pinned here", async () => {
    const { url, port } = service;
    const pinned = (await readFile(new URL("../model/model.sha256", import.meta.url), "utf8")).trim();
    expect(await (await fetch(`${url}/v1/models`)).json()).toMatchObject({
      data: [{ id: "lexical-384", sha256: pinned, dimensions: 384, max_tokens: 4096, kind: "embedding" }],
    });
    for (const path of ["/healthz", "/readyz"]) expect((await fetch(url + path)).status, path).toBe(200);
    const check = await image.run({ args: ["health"], env: { PORT: String(port) } });
    expect(await check.exited()).toMatchObject({ exitCode: 0 });
  });

  it("gives vectors whose cosine follows shared spelling", async () => {
    const texts = [
      "The operator reconciles agents",
      "the operater reconciles agents",
      "Agents, reconciled",
      "A cold mirror",
    ];
    const [text, typo, related, other] = (await embed(service.url, texts)) as [number[], number[], number[], number[]];
    const [near, middle, far] = [cosine(text, typo), cosine(text, related), cosine(text, other)];
    expect([near < 1, near > middle, middle > far, Math.abs(far) < 0.2]).toEqual([true, true, true, true]);
    expect(cosine(text, text)).toBeCloseTo(1, 5);
  });

  it("gives a text the same vector alone, among others, and from another container", async () => {
    const texts = Array.from(
      { length: 100 },
      (_, index) => `text ${index} ${"and more of it ".repeat((index * 7) % 60)}`,
    );
    const together = await embed(service.url, texts);
    const again = await serve({ THREADS: "1", BATCH_TEXTS: "3" });
    const elsewhere = await embed(again.url, texts.toReversed());
    for (const index of [0, 1, 13, 50, 99]) {
      const [alone] = await embed(service.url, texts[index] as string);
      expect(difference(together[index] as number[], alone as number[])).toBeLessThan(1e-5);
      expect(difference(elsewhere[99 - index] as number[], alone as number[])).toBeLessThan(1e-5);
    }
    expect(await again.container.stop()).toMatchObject({ exitCode: 0 });
  });

  it("gives floats and base64 alike", async () => {
    const response = await post(service.url, "/v1/embeddings", { input: "one", encoding_format: "base64" });
    const { data, usage } = (await response.json()) as { data: { embedding: string }[]; usage: object };
    const bytes = Buffer.from(data[0]?.embedding as string, "base64");
    const [floats] = (await embed(service.url, "one")) as [number[]];
    expect(bytes).toHaveLength(384 * 4);
    expect(
      difference(
        floats,
        Array.from({ length: 384 }, (_, index) => bytes.readFloatLE(index * 4)),
      ),
    ).toBeLessThan(1e-7);
    expect(usage).toEqual({ prompt_tokens: 5, total_tokens: 5 });
  });

  it("sorts documents by how much of the query they have", async () => {
    const documents = ["The weather is fine", "Images are rebuilt when their inputs change", "How to rebuild an image"];
    const response = await post(service.url, "/v1/rerank", { query: "rebuild an image", documents, top_n: 2 });
    expect(response.status).toBe(200);
    const { results } = (await response.json()) as { results: { index: number; relevance_score: number }[] };
    expect(results.map(({ index }) => index)).toEqual([2, 1]);
    expect(results[0]?.relevance_score).toBeGreaterThan(0.8);
  });

  it("answers bad requests as OpenAI does", async () => {
    const bad = await post(service.url, "/v1/embeddings", { input: [] });
    expect(bad.status).toBe(400);
    expect(await bad.json()).toEqual({
      error: { message: "input: must have a string", type: "invalid_request_error", param: "input", code: null },
    });
    const long = await post(service.url, "/v1/embeddings", { input: ["x".repeat(4095)] });
    expect(await long.json()).toMatchObject({ error: { code: "context_length_exceeded", param: "input.0" } });
    const big = await post(service.url, "/v1/embeddings", { input: "x".repeat(9 * 1024 * 1024) });
    expect(big.status).toBe(413);
    expect(await big.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  });

  it("has metrics in Prometheus' text format", async () => {
    const response = await fetch(`${service.url}/metrics`);
    expect(response.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    const lines = (await response.text()).trimEnd().split("\n").filter(Boolean);
    const line =
      /^(# (HELP|TYPE) \w+ .+|[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="[^"\n]*",?)+\})? -?(\d[\d.e+-]*|\+Inf|NaN))$/;
    expect(lines.filter((each) => !line.test(each))).toEqual([]);
    expect(lines).toContain("# TYPE ml_batch_texts histogram");
    expect(lines).toContain("ml_worker_ready 1");
  });
});

describe("a model that is mounted", { timeout: 120_000 }, () => {
  /** The built-in one, its vectors not normalised. By stdout, as a container's files may be another user's. */
  async function otherModel(): Promise<{ source: string; sha256: string }> {
    const program = [
      "import base64, json, pathlib",
      "files = [file for file in pathlib.Path('/app/models/lexical-384').rglob('*') if file.is_file()]",
      "print(json.dumps({str(file): base64.b64encode(file.read_bytes()).decode() for file in files}))",
    ].join("\n");
    const copier = await image.run({ entrypoint: "/app/venv/bin/python", args: ["-c", program] });
    expect(await copier.exited()).toMatchObject({ exitCode: 0 });
    const files = new Map<string, Buffer>();
    for (const [path, content] of Object.entries(JSON.parse(copier.stdout) as Record<string, string>))
      files.set(path.replace("/app/models/lexical-384", "."), Buffer.from(content, "base64"));
    files.set("./modules.json", Buffer.from('[{ "type": "sentence_transformers.models.Transformer", "path": "" }]'));
    const source = await temporaryFolder();
    await chmod(source, 0o755);
    for (const [path, content] of files) {
      await mkdir(dirname(join(source, path)), { recursive: true });
      await writeFile(join(source, path), content);
    }
    const lines = [...files]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([path, content]) => `${sha256Of(content)}  ${path}\n`);
    return { source, sha256: sha256Of(lines.join("")) };
  }

  it("is the one that answers, if it is the one that is pinned", async () => {
    const { source, sha256 } = await otherModel();
    const options = { mounts: [{ source, target: "/models/other", readOnly: true }] };
    const env = { MODEL_DIR: "/models/other", MODEL_SHA256: sha256 };
    const { url } = await serve(env, options);
    const models = (await (await fetch(`${url}/v1/models`)).json()) as { data: object[] };
    expect(models.data).toMatchObject([{ id: "other", sha256 }]);
    const [vector] = (await embed(url, "one")) as [number[]];
    const length = Math.sqrt(cosine(vector, vector));
    expect(length).toBeGreaterThan(2);
    const builtIn = await serve();
    const [normal] = (await embed(builtIn.url, "one")) as [number[]];
    expect(
      difference(
        vector.map((value) => value / length),
        normal,
      ),
    ).toBeLessThan(1e-5);
  });
});

describe("under load", { timeout: 300_000 }, () => {
  it("turns away what it can't queue, with a time to come again, and answers all the rest", async () => {
    const { url } = await serve({ QUEUE_TEXTS: "64", BATCH_TEXTS: "16" });
    const input = Array.from({ length: 16 }, (_, index) => `${index} ${"some longer text ".repeat(100)}`);
    const expected = await embed(url, input);
    const clients = Array.from({ length: 120 }, () => post(url, "/v1/embeddings", { input }));
    const responses = await Promise.all(clients);
    const served = responses.filter(({ status }) => status === 200);
    const refused = responses.filter(({ status }) => status === 429);
    expect(served.length + refused.length).toBe(responses.length);
    expect(served.length).toBeGreaterThanOrEqual(4); // a full queue of them
    expect(refused.length).toBeGreaterThan(0);
    for (const response of refused) expect(Number(response.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    for (const response of served) {
      const { data } = (await response.json()) as { data: { embedding: number[] }[] };
      data.forEach(({ embedding }, index) =>
        expect(difference(embedding, expected[index] as number[])).toBeLessThan(1e-5),
      );
    }
    expect(await embed(url, "later")).toHaveLength(1);
    expect(await metric(url, "ml_queue_texts")).toBe(0);
  });

  it("answers 503 when the worker is killed, and starts another", async () => {
    const { url, container } = await serve();
    const [before] = await embed(url, "one");
    const input = Array.from({ length: 2000 }, () => "some longer text ".repeat(200));
    const caught = post(url, "/v1/embeddings", { input });
    await vi.waitFor(async () => expect(await metric(url, "ml_queue_texts")).toBeGreaterThan(0), PATIENCE);
    await killWorker(container);
    const response = await caught;
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("2");
    expect(await response.json()).toMatchObject({ error: { type: "server_error", code: "not_ready" } });
    await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200), PATIENCE);
    const [after] = await embed(url, "one");
    expect(difference(before as number[], after as number[])).toBeLessThan(1e-5);
    expect(await metric(url, "ml_worker_restarts_total")).toBe(1);
    expect(await container.stop()).toMatchObject({ exitCode: 0 });
  });

  it("stops while it still loads the model", async () => {
    const env = { HOST: "127.0.0.1", PORT: String(await freePort()) };
    const container = await image.run({ env });
    await container.logged(/Server listening/, PATIENCE);
    expect(await container.stop("SIGTERM", PATIENCE)).toMatchObject({ exitCode: 0 });
  });

  it("finishes what is in flight on SIGTERM", async () => {
    const { url, container } = await serve({ SHUTDOWN_SECONDS: "120" });
    const input = Array.from({ length: 400 }, () => "some longer text ".repeat(100));
    const inFlight = post(url, "/v1/embeddings", { input });
    await vi.waitFor(async () => expect(await metric(url, "ml_queue_texts")).toBeGreaterThan(0), PATIENCE);
    const ended = container.stop("SIGTERM", 2 * PATIENCE);
    await container.logged(/"stopping"/, PATIENCE);
    const response = await inFlight;
    expect(response.status).toBe(200);
    expect(((await response.json()) as { data: object[] }).data).toHaveLength(400);
    expect(await ended).toMatchObject({ exitCode: 0 });
    expect(container.stdout).toContain('"stopped"');
  });
});

describe("what can't work is said, and ends with 2", { timeout: 120_000 }, () => {
  it.each([
    [["sh"], {}, 'unknown mode "sh": use one of serve, health'],
    [[], { WAYBILL_MODE: "train" }, 'unknown mode "train": use one of serve, health'],
    [[], { PORT: "http" }, "PORT: a whole number"],
    [
      ["serve"],
      { WAYBILL_MODE: "train", MODEL_DIR: "/models/none" },
      "there is no model folder /models/none: set MODEL_DIR",
    ],
    [[], { MODEL_SHA256: "0".repeat(64) }, "MODEL_SHA256 says 0000"],
    [[], { DEVICE: "cuda" }, "this image has ONNX Runtime for CPUs: use the variant cuda"],
  ])("%j %j", async (args, env, message) => {
    const container = await image.run({ args, env: { HOST: "127.0.0.1", PORT: "0", ...env } });
    expect(await container.exited()).toMatchObject({ exitCode: 2 });
    expect(container.stderr).toContain(message);
  });

  it.each([
    [0o755, "has no onnx/model.onnx or model.onnx"],
    [0o000, "can't read the model: [Errno 13] Permission denied"],
  ])("a folder of mode %o that holds no model", async (mode, message) => {
    const source = await temporaryFolder();
    await chmod(source, mode);
    const mounts = [{ source, target: "/models/empty", readOnly: true }];
    const container = await image.run({ mounts, env: { HOST: "127.0.0.1", PORT: "0", MODEL_DIR: "/models/empty" } });
    expect(await container.exited()).toMatchObject({ exitCode: 2 });
    expect(container.stderr).toContain(message);
  });
});
