/** What the environment asks for, checked once: everything wrong is told at once. */
import { basename } from "node:path";
import * as z from "zod";
import { DEFAULT_PORT, type Environment } from "./environment.ts";
import { Failure } from "./failure.ts";

/** The model that the image brings. */
const BUILT_IN = "/app/models/lexical-384";

const wholeNumber = (least: number, most: number) =>
  z.string().regex(/^\d+$/, "a whole number").transform(Number).pipe(z.number().min(least).max(most));

const Variables = z.object({
  HOST: z.string().default("0.0.0.0"),
  PORT: wholeNumber(0, 65_535).prefault(DEFAULT_PORT),
  MODEL_DIR: z.string().startsWith("/", "an absolute path").default(BUILT_IN),
  MODEL_SHA256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits, in lower case")
    .optional(),
  MODEL_NAME: z.string().min(1).optional(),
  DEVICE: z.enum(["cpu", "cuda"]).default("cpu"),
  THREADS: wholeNumber(1, 1024).optional(),
  BATCH_TEXTS: wholeNumber(1, 1024).prefault("32"),
  BATCH_TOKENS: wholeNumber(64, 1_000_000).prefault("16384"),
  BATCH_SECONDS: wholeNumber(1, 3600).prefault("60"),
  QUEUE_TEXTS: wholeNumber(1, 1_000_000).prefault("4096"),
  BODY_LIMIT: wholeNumber(1024, 256 * 1024 * 1024).prefault(String(8 * 1024 * 1024)),
  SHUTDOWN_SECONDS: wholeNumber(1, 600).prefault("25"),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
});

export interface Config {
  readonly host: string;
  readonly port: number;
  /** As clients name the model. */
  readonly modelName: string;
  /** What the worker reads of its environment. */
  readonly worker: Readonly<Record<string, string>>;
  /** The most texts that go to the worker at once. */
  readonly batchTexts: number;
  /** After this a worker that doesn't answer is killed. */
  readonly batchMilliseconds: number;
  /** The most texts that wait; who brings more gets 429. */
  readonly queueTexts: number;
  /** Bytes. */
  readonly bodyLimit: number;
  /** How long requests in flight may take after SIGTERM. */
  readonly shutdownMilliseconds: number;
  readonly logLevel: string;
}

/** Throws a `Failure` that holds one line a problem. */
export function readConfig(environment: Environment): Config {
  // `NAME=` in a compose file means "not set".
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value));
  const parsed = Variables.safeParse(given);
  if (parsed.success) return toConfig(parsed.data);
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new Failure(`bad configuration:\n  ${problems.join("\n  ")}`, 2);
}

function toConfig(values: z.output<typeof Variables>): Config {
  return {
    host: values.HOST,
    port: values.PORT,
    modelName: values.MODEL_NAME ?? basename(values.MODEL_DIR),
    worker: {
      MODEL_DIR: values.MODEL_DIR,
      MODEL_SHA256: values.MODEL_SHA256 ?? "",
      DEVICE: values.DEVICE,
      THREADS: String(values.THREADS ?? ""),
      BATCH_TOKENS: String(values.BATCH_TOKENS),
    },
    batchTexts: values.BATCH_TEXTS,
    batchMilliseconds: values.BATCH_SECONDS * 1000,
    queueTexts: values.QUEUE_TEXTS,
    bodyLimit: values.BODY_LIMIT,
    shutdownMilliseconds: values.SHUTDOWN_SECONDS * 1000,
    logLevel: values.LOG_LEVEL,
  };
}
