// After each run: every image whose record came from a cache really exists (idea 2), and one table says what there is.

import { join } from "node:path";
import type { PostTasksExecution, TaskResult } from "@nx/devkit";
import type { CacheOptions, CacheRun } from "@waybill/cache";
import { ensureBytes, hasBytes, hideLayout, recordOfImage } from "@waybill/image/bytes";
import { type Image, readImage } from "@waybill/image/image";
import { isExpected } from "@waybill/oci/error";
import type { ImageRecord } from "@waybill/oci/record";
import { mayHaveRemoteCache } from "./before-run.ts";
import { type Row, formatRun } from "./table.ts";

const TARGET = "docker-build";

export const postTasksExecution: PostTasksExecution<CacheOptions> = async (options, context) => {
  const { id, taskResults, workspaceRoot } = context;
  const builds = Object.values(taskResults).filter(({ task }) => task.target.target === TARGET);
  const cache = mayHaveRemoteCache(options) ? await closeCache(id) : undefined;
  // All are looked for at once, as a registry may have to be asked; what has to be made again is made one by one.
  const looks = builds.map((result) => look(result, workspaceRoot, cache));
  await Promise.allSettled(looks);
  const rows: Row[] = [];
  for (const [index, result] of builds.entries())
    rows.push(await rowOf(result, looks[index] as Promise<Look | undefined>));
  if (cache?.fault !== undefined) console.error(`waybill: remote cache: ${cache.fault}`);
  if (rows.length > 0) console.log(formatRun(rows));
  const failed = Object.values(taskResults).some(({ status }) => status === "failure");
  if (failed || rows.some(({ problem }) => problem !== undefined)) failRun();
};

async function closeCache(id: string): Promise<CacheRun | undefined> {
  const { closeRemoteCache } = await import("./remote-cache.ts");
  return await closeRemoteCache(id);
}

/**
 * Nx ends with 0 where all tasks went well, though the image of one may be nowhere, and with 130 (as if by Ctrl-C) where a task was
 * left out after a failure. Only an exit listener comes after that.
 */
function failRun(): void {
  process.once("exit", () => (process.exitCode = 1));
}

interface Look {
  image: Image;
  record: ImageRecord;
  /** `remote`: known to exist in the registry, to be fetched when somebody wants it. */
  bytes: "near" | "remote" | "nowhere";
}

/** Where the bytes of a task's image are. @throws {WaybillError} there is no record */
async function look(
  { task, status }: TaskResult,
  root: string,
  cache: CacheRun | undefined,
): Promise<Look | undefined> {
  if (status === "failure" || status === "skipped") return undefined;
  const image = readImage(join(root, task.projectRoot ?? ""));
  const record = await recordOfImage(image);
  if (await hasBytes(record)) return { image, record, bytes: "near" };
  const materialize = process.env["WAYBILL_MATERIALIZE"] === "1";
  const remote = !materialize && (await cache?.has(record)) === true;
  return { image, record, bytes: remote ? "remote" : "nowhere" };
}

async function rowOf({ task, status }: TaskResult, looking: Promise<Look | undefined>): Promise<Row> {
  const name = task.target.project;
  const ms = (task.endTime ?? 0) - (task.startTime ?? 0);
  try {
    const found = await looking;
    if (found === undefined) return { name, source: status === "skipped" ? "skipped" : "failure", ms };
    const { image, record, bytes } = found;
    // A view of another image would be worse than none.
    const made = bytes === "remote" ? await hideLayout(image) : await ensureBytes(image, record);
    const source = made === "rebuilt" ? "rebuilt" : sourceOf(status);
    return { name, record, budget: image.metadata.budget, source, ms };
  } catch (error) {
    if (!isExpected(error)) throw error;
    return { name, source: "failure", ms, problem: error.message };
  }
}

function sourceOf(status: TaskResult["status"]): Row["source"] {
  if (status === "remote-cache") return "remote";
  return status === "success" ? "built" : "local";
}
