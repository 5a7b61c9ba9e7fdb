// What the command line says.

import { parseArgs } from "node:util";

export interface Options {
  /** Benches whose name starts so; all when undefined. */
  only: string | undefined;
  /** Turns that count, for each contestant. */
  runs: number;
  json: boolean;
  /** Images of `cached fleet`; all when undefined. */
  images: string[] | undefined;
  /** Those held against buildah, as its first build of a toolchain takes minutes; `none` leaves buildah out. */
  buildahImages: string[] | undefined;
}

export const USAGE = "npm run bench -- [--only NAME] [--runs N] [--images a,b] [--buildah-images a,b|none] [--json]";

export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      runs: { type: "string", default: "5" },
      json: { type: "boolean", default: false },
      images: { type: "string" },
      "buildah-images": { type: "string" },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${values.runs} is no number of turns`);
  return {
    only: values.only,
    runs,
    json: values.json,
    images: values.images?.split(","),
    buildahImages: values["buildah-images"]?.split(","),
  };
}
