// After each run: every image whose record came from a cache really exists (idea 2), and one table says what there is.

import { join } from "node:path";
import type { PostTasksExecution, TaskResult } from "@nx/devkit";
import { ensureBytes, recordOfImage } from "@waybill/image/bytes";
import { readImage } from "@waybill/image/image";
import { isExpected } from "@waybill/oci/error";
import { type Row, formatRun } from "./table.ts";

const TARGET = "docker-build";

export const postTasksExecution: PostTasksExecution = async (_options, { taskResults, workspaceRoot }) => {
  const builds = Object.values(taskResults).filter(({ task }) => task.target.target === TARGET);
  const rows: Row[] = [];
  for (const result of builds) rows.push(await rowOf(result, workspaceRoot));
  if (rows.length > 0) console.log(formatRun(rows));
  const failed = Object.values(taskResults).some(({ status }) => status === "failure");
  if (failed || rows.some(({ problem }) => problem !== undefined)) failRun();
};

/**
 * Nx ends with 0 where all tasks went well, though the image of one may be nowhere, and with 130 (as if by Ctrl-C) where a task was
 * left out after a failure. Only an exit listener comes after that.
 */
function failRun(): void {
  process.once("exit", () => (process.exitCode = 1));
}

async function rowOf({ task, status }: TaskResult, workspaceRoot: string): Promise<Row> {
  const folder = join(workspaceRoot, task.projectRoot ?? "");
  const name = task.target.project;
  const ms = (task.endTime ?? 0) - (task.startTime ?? 0);
  if (status === "failure" || status === "skipped") return { name, source: status, ms };
  try {
    const image = readImage(folder);
    const record = await recordOfImage(image);
    const bytes = await ensureBytes(image, record);
    return {
      name,
      record,
      budget: image.metadata.budget,
      source: bytes === "rebuilt" ? "rebuilt" : sourceOf(status),
      ms,
    };
  } catch (error) {
    if (!isExpected(error)) throw error;
    return { name, source: "failure", ms, problem: error.message };
  }
}

function sourceOf(status: TaskResult["status"]): Row["source"] {
  if (status === "remote-cache") return "remote";
  return status === "success" ? "built" : "local";
}
