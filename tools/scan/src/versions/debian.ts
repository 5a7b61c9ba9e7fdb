// The order of Debian's versions (Debian policy, 5.6.12): [epoch:]upstream[-revision]. A test holds it against dpkg itself.

/** @returns below 0 where `a` is the older, 0 where they are the same, above 0 else */
export function compareDebian(a: string, b: string): number {
  const [one, other] = [partsOf(a), partsOf(b)];
  return (
    one.epoch - other.epoch ||
    comparePart(one.upstream, other.upstream) ||
    // "1.0" and "1.0-0" are the same: an absent revision counts as 0.
    comparePart(one.revision, other.revision)
  );
}

function partsOf(version: string): { epoch: number; upstream: string; revision: string } {
  const [, epoch = "0", rest = version] = /^(\d+):(.*)$/s.exec(version) ?? [];
  const at = rest.lastIndexOf("-");
  return {
    epoch: Number(epoch),
    upstream: at < 0 ? rest : rest.slice(0, at),
    revision: at < 0 ? "" : rest.slice(at + 1),
  };
}

/** Runs of other characters and runs of digits, by turns, beginning with a run of others that may be empty. */
function comparePart(a: string, b: string): number {
  const [left, right] = [runsOf(a), runsOf(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [x = "", y = ""] = [left[i], right[i]];
    const order = i % 2 === 0 ? compareText(x, y) : compareNumber(x, y);
    if (order !== 0) return order;
  }
  return 0;
}

function runsOf(text: string): string[] {
  const runs = text.match(/\d+|\D+/g) ?? [];
  return /^\d/.test(text) ? ["", ...runs] : [...runs];
}

/** Dates and hashes are longer than what a number holds exactly. */
function compareNumber(a: string, b: string): number {
  const [x, y] = [BigInt(a || "0"), BigInt(b || "0")];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** "~" stands before the end, letters before all else. */
function compareText(a: string, b: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = weightOf(a[i]) - weightOf(b[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function weightOf(character: string | undefined): number {
  if (character === "~") return -1;
  if (character === undefined) return 0;
  const code = character.codePointAt(0) as number;
  return /[A-Za-z]/.test(character) ? code : code + 256;
}
