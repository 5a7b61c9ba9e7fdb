// The word somebody probably meant.

/** The candidate with the fewest edits away from `word`; an empty list gives "". */
export function closestTo(word: string, candidates: readonly string[]): string {
  const ranked = candidates.map((candidate) => ({ candidate, distance: distance(word, candidate) }));
  return ranked.toSorted((one, other) => one.distance - other.distance)[0]?.candidate ?? "";
}

/** Levenshtein's. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, char] of [...one].entries()) {
    const next = [index + 1];
    for (const [column, otherChar] of [...other].entries()) {
      const replaced = (row[column] ?? 0) + (char === otherChar ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
