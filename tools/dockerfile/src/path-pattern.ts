// Patterns of paths compared with each other: what .dockerignore and COPY name, cut at the slashes. The answers lean to "may":
// an input too many costs a cache miss, one too few a wrong image.

export function hasWildcard(text: string): boolean {
  return /[*?[\\]/.test(text);
}

/** True where a path may match, or lie below a match of, both patterns. */
export function mayOverlap(one: string, other: string): boolean {
  const ones = one.split("/");
  const others = other.split("/");
  const shared = Math.min(ones.length, others.length);
  for (let index = 0; index < shared; index++) {
    const [left = "", right = ""] = [ones[index], others[index]];
    if (reachesDeeper(left) || reachesDeeper(right)) return true;
    if (!mayEqual(left, right)) return false;
  }
  return true;
}

/** True where every path that is, or lies below, `inner` surely is, or lies below, a match of the plain path `outer`. */
export function isWithin(inner: string, outer: string): boolean {
  return outer === "" || inner === outer || inner.startsWith(`${outer}/`);
}

/** "**" and (by the matcher's rules) a negated class may take in a slash. */
function reachesDeeper(part: string): boolean {
  return part.includes("**") || part.includes("[");
}

function mayEqual(one: string, other: string): boolean {
  if (!hasWildcard(one)) return hasWildcard(other) ? mayEqual(other, one) : one === other;
  if (hasWildcard(other) || one.includes("\\")) return true;
  const regex = one
    .replace(/[.+^${}()|\]]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${regex}$`, "s").test(other);
}
