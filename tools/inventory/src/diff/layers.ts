// Which layer made an image larger or smaller. Layers of two versions belong together when the same build step made them.

import type { PlatformRecord } from "@waybill/oci";

type Layer = PlatformRecord["layers"][number];

export interface LayerChange {
  createdBy: string;
  from?: { digest: string; size: number; unpackedSize: number };
  to?: { digest: string; size: number; unpackedSize: number };
}

/** The layers that aren't the same in both, in the order of the image. */
export function diffLayers(from: readonly Layer[], to: readonly Layer[]): LayerChange[] {
  return paired(from, to)
    .filter(([before, after]) => before?.digest !== after?.digest)
    .map(([before, after]) => ({
      createdBy: (after ?? before)?.createdBy ?? "",
      ...(before === undefined ? {} : { from: sizes(before) }),
      ...(after === undefined ? {} : { to: sizes(after) }),
    }));
}

const sizes = ({ digest, size, unpackedSize }: Layer) => ({ digest, size, unpackedSize });

/** The longest common sequence of build steps; what is not in it stands alone. */
function paired(from: readonly Layer[], to: readonly Layer[]): [Layer | undefined, Layer | undefined][] {
  const lengths = commonLengths(from, to);
  const length = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  const pairs: [Layer | undefined, Layer | undefined][] = [];
  let [i, j] = [0, 0];
  while (i < from.length || j < to.length) {
    const [before, after] = [from[i], to[j]];
    if (before !== undefined && after !== undefined && before.createdBy === after.createdBy) {
      pairs.push([before, after]);
      i++;
      j++;
    } else if (after === undefined || (before !== undefined && length(i + 1, j) >= length(i, j + 1))) {
      pairs.push([before, undefined]);
      i++;
    } else {
      pairs.push([undefined, after]);
      j++;
    }
  }
  return pairs;
}

/** Of the steps from `i` and from `j` on. */
function commonLengths(from: readonly Layer[], to: readonly Layer[]): number[][] {
  const table = Array.from({ length: from.length + 1 }, () => Array.from({ length: to.length + 1 }, () => 0));
  for (let i = from.length - 1; i >= 0; i--) {
    for (let j = to.length - 1; j >= 0; j--) {
      const same = from[i]?.createdBy === to[j]?.createdBy;
      const row = table[i] as number[];
      row[j] = same ? 1 + (table[i + 1]?.[j + 1] ?? 0) : Math.max(table[i + 1]?.[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return table;
}
