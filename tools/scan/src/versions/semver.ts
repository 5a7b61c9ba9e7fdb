// The order of npm's and Go's versions (semver 2.0, 11). Go writes a "v" before its own and OSV leaves it out; build metadata, such as
// Go's "+incompatible", doesn't count.

interface Version {
  core: bigint[];
  pre: string[];
}

/** @returns as `compareDebian`. What is no version at all stands before every one that is. */
export function compareSemver(a: string, b: string): number {
  const [one, other] = [parse(a), parse(b)];
  return compareCores(one.core, other.core) || comparePre(one.pre, other.pre);
}

function parse(text: string): Version {
  const plain = text
    .trim()
    .replace(/^(?:v|go)(?=\d)/, "")
    .replace(/\+.*$/s, "");
  // Go's own releases have a pre-release without "-": "1.21rc2".
  const [, numbers = "", pre = ""] = /^([\d.]*)-?(.*)$/s.exec(plain) ?? [];
  const core = numbers.split(".").map((number) => BigInt(number || "0"));
  return { core, pre: pre === "" ? [] : pre.split(".") };
}

function compareCores(a: readonly bigint[], b: readonly bigint[]): number {
  for (let i = 0; i < Math.max(a.length, b.length, 3); i++) {
    const [x = 0n, y = 0n] = [a[i], b[i]];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

function comparePre(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = compareIdentifier(a[i], b[i]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers before words; of two lists that begin the same the shorter is the older. */
function compareIdentifier(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (x && y) return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
  if (x !== y) return x ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
