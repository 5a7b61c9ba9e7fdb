import { Problem } from "../api/problem.ts";

/** A 404 as nothing, other problems as they are. */
export async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  return await answer.catch((error: unknown) => {
    if (error instanceof Problem && error.status === 404) return undefined;
    throw error;
  });
}
