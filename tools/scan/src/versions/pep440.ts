// The order of Python's versions (PEP 440): [epoch!]release[{a|b|rc}N][.postN][.devN][+local]. A test holds it against the `packaging`
// library, where this machine has it.

const VERSION =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|beta|preview|pre|rc|a|b|c)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(?:post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/;

const PHASES: Record<string, number> = { alpha: 0, a: 0, beta: 1, b: 1, c: 2, rc: 2, pre: 2, preview: 2 };

/** What stands before and after every number that may be there. */
const FIRST = -Infinity;
const LAST = Infinity;

interface Version {
  epoch: number;
  release: number[];
  /** Phase and number, the post and the dev release: in the order in which they decide. */
  rest: number[];
  local: string[];
}

/** @returns as `compareDebian`. What PEP 440 doesn't know (a date with words, as of long ago) stands before all that it does. */
export function comparePep440(a: string, b: string): number {
  const [one, other] = [parse(a), parse(b)];
  if (one === undefined || other === undefined) {
    if (one !== undefined || other !== undefined) return one === undefined ? -1 : 1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return (
    one.epoch - other.epoch ||
    compareLists(one.release, other.release, 0) ||
    compareLists(one.rest, other.rest, 0) ||
    compareLocals(one.local, other.local)
  );
}

function parse(text: string): Version | undefined {
  const match = VERSION.exec(text.trim().toLowerCase());
  if (match === null) return undefined;
  const [, epoch = "0", release = "", phase, pre = "", implicit, post, dev, devNumber = "", local] = match;
  const hasPost = implicit !== undefined || post !== undefined;
  // "1.0.dev1" is older than "1.0a1", though it names no phase.
  const noPhase = dev !== undefined && !hasPost ? FIRST : LAST;
  return {
    epoch: Number(epoch),
    release: release.split(".").map(Number),
    rest: [
      phase === undefined ? noPhase : (PHASES[phase] as number),
      Number(pre),
      hasPost ? Number(implicit ?? post) : FIRST,
      dev === undefined ? LAST : Number(devNumber),
    ],
    local: local === undefined ? [] : local.split(/[-_.]/),
  };
}

function compareLists(a: readonly number[], b: readonly number[], absent: number): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [x = absent, y = absent] = [a[i], b[i]];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

/** None before any, words before numbers. */
function compareLocals(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [x, y] = [a[i], b[i]];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    const [isX, isY] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (isX !== isY) return isX ? 1 : -1;
    if (isX && Number(x) !== Number(y)) return Number(x) - Number(y);
    if (!isX && x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
