// Why an image would be rebuilt, as data and for people.

import { type Inputs, SCOPE } from "@waybill/image";
import { shortDigest } from "@waybill/format";

export interface Reason {
  input: string;
  change: "changed" | "added" | "removed" | "would be rebuilt";
  before?: string;
  after?: string;
  /** Why, for a base that would be rebuilt itself. */
  because?: Reason[];
}

/** By name of the input. */
export function differences(before: Inputs, after: Inputs): Reason[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names
    .filter((input) => before[input] !== after[input])
    .map((input) => ({ input, change: changeOf(before[input], after[input]), ...values(input, before, after) }));
}

const changeOf = (before: string | undefined, after: string | undefined): Reason["change"] =>
  before === undefined ? "added" : after === undefined ? "removed" : "changed";

/** Hashes of files tell a person nothing; digests of bases and values of build args do. */
function values(input: string, before: Inputs, after: Inputs): Pick<Reason, "before" | "after"> {
  if (!input.startsWith(SCOPE) && !input.startsWith("build arg ") && !input.startsWith("the ")) return {};
  return {
    ...(before[input] === undefined ? {} : { before: before[input] }),
    ...(after[input] === undefined ? {} : { after: after[input] }),
  };
}

/** The images of this repo among the inputs. */
export const basesIn = (inputs: Inputs): { input: string; name: string }[] =>
  Object.keys(inputs)
    .filter((input) => input.startsWith(SCOPE))
    .map((input) => ({ input, name: input.slice(SCOPE.length) }));

/** A line each, a base's own reasons below it. */
export function describe(reasons: readonly Reason[], indent: string): string[] {
  return reasons.flatMap(({ input, change, before, after, because }) => {
    const from = before === undefined || after === undefined ? "" : `: ${short(before)} -> ${short(after)}`;
    if (because === undefined) return [`${indent}${input} ${change}${from}`];
    return [
      `${indent}${input} ${change} (and this image only if its digest changes):`,
      ...describe(because, `${indent}  `),
    ];
  });
}

const short = (value: string): string => (value.startsWith("sha256:") ? shortDigest(value) : value);
