// Bounded parallelism: a set of a hundred packages neither waits for one after the other nor opens a hundred connections.

/**
 * Runs `work` on each item, at most `width` at a time, and gives the results in the order of the items. The first failure
 * keeps further items from starting and is thrown once those under way have ended.
 */
export async function mapPool<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results = Array.from<R>({ length: items.length });
  const queue = items.entries();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failures.length > 0) return;
      try {
        results[index] = await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
