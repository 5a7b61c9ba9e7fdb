/** What the environment asks for, checked once: everything wrong is told at once, and no secret is ever echoed. */
import { readFileSync } from "node:fs";
import * as z from "zod";
import { DEFAULT_PORT, type Environment } from "./environment.ts";
import { Failure } from "./failure.ts";

/** The environment can't be used; `message` holds one line a problem. */
export class BadConfig extends Failure {
  override name = "BadConfig";
  override readonly exitCode = 2;
}

const flag = z.enum(["0", "1", "true", "false"]).transform((value) => value === "1" || value === "true");
const wholeNumber = (least: number, most: number) =>
  z.string().regex(/^\d+$/, "a whole number").transform(Number).pipe(z.number().min(least).max(most));

const Variables = z.object({
  HOST: z.string().default("0.0.0.0"),
  PORT: wholeNumber(0, 65_535).prefault(DEFAULT_PORT),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "starts with postgres://")
    .refine(URL.canParse, "is a URL")
    .optional(),
  DATA_DIR: z.string().default("data"),
  AUTO_MIGRATE: flag.prefault("0"),
  API_TOKEN: z.string().min(16, "at least 16 characters").optional(),
  BODY_LIMIT: wholeNumber(1024, 64 * 1024 * 1024).prefault(String(1024 * 1024)),
  POOL_SIZE: wholeNumber(1, 200).prefault("10"),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
  SHUTDOWN_SECONDS: wholeNumber(1, 600).prefault("8"),
});

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly database: DatabaseConfig;
  readonly autoMigrate: boolean;
  /** Asked of whoever writes; absent: anyone may. */
  readonly apiToken: string | undefined;
  /** Bytes. */
  readonly bodyLimit: number;
  readonly logLevel: string;
  /** How long requests in flight may take after SIGTERM. */
  readonly shutdownMilliseconds: number;
}

export type DatabaseConfig =
  | { readonly kind: "postgres"; readonly url: string; readonly poolSize: number }
  | { readonly kind: "pglite"; readonly dataDir: string };

/** Reads the environment, secrets' files included. Throws `BadConfig` with all problems. */
export function readConfig(environment: Environment): Config {
  const problems: string[] = [];
  const withFiles = {
    ...withoutEmpty(environment),
    ...readFiles(environment, ["API_TOKEN", "DATABASE_URL"], problems),
  };
  const parsed = Variables.safeParse(withFiles);
  if (!parsed.success)
    problems.push(...parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`));
  if (problems.length > 0 || !parsed.data) throw new BadConfig(`bad configuration:\n  ${problems.join("\n  ")}`);
  return toConfig(parsed.data);
}

function toConfig(values: z.output<typeof Variables>): Config {
  return {
    host: values.HOST,
    port: values.PORT,
    database: values.DATABASE_URL
      ? { kind: "postgres", url: values.DATABASE_URL, poolSize: values.POOL_SIZE }
      : { kind: "pglite", dataDir: values.DATA_DIR },
    autoMigrate: values.AUTO_MIGRATE,
    apiToken: values.API_TOKEN,
    bodyLimit: values.BODY_LIMIT,
    logLevel: values.LOG_LEVEL,
    shutdownMilliseconds: values.SHUTDOWN_SECONDS * 1000,
  };
}

/** `NAME=` in a compose file means "not set". */
function withoutEmpty(environment: Environment): Record<string, string> {
  const entries = Object.entries(environment).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return Object.fromEntries(entries);
}

/** `NAME_FILE` names a file whose content is NAME's value, as mounted secrets have it. */
function readFiles(environment: Environment, names: readonly string[], problems: string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of names) {
    const path = environment[`${name}_FILE`];
    if (!path) continue;
    if (environment[name]) problems.push(`${name}_FILE: set it or ${name}, not both`);
    try {
      values[name] = readFileSync(path, "utf8").trim();
    } catch (error) {
      problems.push(`${name}_FILE: can't read ${path} (${(error as NodeJS.ErrnoException).code})`);
    }
  }
  return values;
}
