// Reading a JSON document against a schema so that a person can mend it: all problems at once, each with its line.

import { readFile } from "node:fs/promises";
import { WaybillError, messageOf } from "@waybill/oci/error";
import type { z } from "zod";
import { lineOfPath } from "./json-lines.ts";

/**
 * Reads and checks a JSON file.
 * @throws {WaybillError} absent, not JSON, or against the schema
 */
export async function readDocument<S extends z.ZodType>(file: string, schema: S): Promise<z.output<S>> {
  return parseDocument(await readText(file), schema, file);
}

/** The same for text already in memory; `file` is named in errors. */
export function parseDocument<S extends z.ZodType>(text: string, schema: S, file: string): z.output<S> {
  const result = schema.safeParse(parseJson(text, file));
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const line = lineOfPath(text, issue.path as (string | number)[]);
    return `line ${line}: ${issue.path.join(".") || "document"}: ${issue.message}`;
  });
  throw new WaybillError(`${problems.length} problem(s): ${problems.join("; ")}`, { where: file });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new WaybillError(absent ? "file not found" : messageOf(error), { where: file, cause: error });
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new WaybillError(`not JSON (${messageOf(error)})`, { where: file, cause: error });
  }
}
