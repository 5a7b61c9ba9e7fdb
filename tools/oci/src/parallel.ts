// Several things at a time, but not all at once: connections and file handles are finite.

/** Runs `action` for each item, at most `limit` at a time, in order of start. Results keep the items' order. */
export async function mapLimit<T, R>(
  items: readonly T[],
  limit: number,
  action: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = Array.from<R>({ length: items.length });
  const queue = items.entries();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const [i, item] of queue) {
      // After a failure nothing new is begun; what is under way may end.
      if (failed) return;
      try {
        results[i] = await action(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker));
  const failure = workers.find((outcome) => outcome.status === "rejected");
  if (failure) throw failure.reason;
  return results;
}
