// Which of two versions is the newer: by the rules of Debian (policy, 5.6.12), which order the others' plain numbers rightly too. A
// pre-release is the older there only if it is written with "~"; npm, Python and Go write it "-rc.1" and "rc1".

/** @returns below 0 where `a` is the older, 0 where they are the same, above 0 else */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [epochOf(a), epochOf(b)];
  return one.epoch - other.epoch || compareParts(one.rest, other.rest);
}

function epochOf(version: string): { epoch: number; rest: string } {
  const [, epoch = "0", rest = version] = /^(\d+):(.*)$/.exec(version) ?? [];
  return {
    epoch: Number(epoch),
    rest: rest.replace(/^v(?=\d)/, "").replace(/[-.]?(alpha|beta|pre|rc)(?=[.\d-]|$)/i, "~$1"),
  };
}

/** Text and numbers by turns; "~" sorts before the end, letters before all else. */
function compareParts(a: string, b: string): number {
  const [left, right] = [a, b].map((text): string[] => text.match(/\d+|\D+/g) ?? []) as [string[], string[]];
  // A version that begins with a number is given an empty text before it, so that text meets text.
  for (const parts of [left, right]) if (/^\d/.test(parts[0] ?? "")) parts.unshift("");
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [x, y] = [left[i] ?? "", right[i] ?? ""];
    const order = i % 2 === 1 ? Number(x) - Number(y) : compareText(x, y);
    if (order !== 0) return order;
  }
  return 0;
}

function compareText(a: string, b: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = weight(a[i]) - weight(b[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function weight(character: string | undefined): number {
  if (character === "~") return -1;
  if (character === undefined) return 0;
  const code = character.codePointAt(0) as number;
  return /[A-Za-z]/.test(character) ? code : code + 256;
}
