// waybill explain <image>: why it would be rebuilt.

import { type Image, type Inputs, findImage, inputsOf, recordOfImage, rememberedInputs, SCOPE } from "@waybill/image";
import { WaybillError } from "@waybill/oci";
import { type Command, only } from "../command.ts";
import { shortDigest } from "../format.ts";

interface Reason {
  input: string;
  change: "changed" | "added" | "removed" | "would be rebuilt";
  before?: string;
  after?: string;
  /** Why, for a base that would be rebuilt itself. */
  because?: Reason[];
}

export const command: Command = {
  summary: "tells why an image would be rebuilt: the file that changed, or the base",
  usage: "<image>",
  options: {},
  async run(positionals, values) {
    const image = await findImage(only(positionals, "image"));
    const reasons = await reasonsOf(image);
    if (values["json"] === true) console.log(JSON.stringify(reasons));
    else if (reasons.length === 0) console.log(`${image.name}: nothing changed since it was built, it is a hit`);
    else console.log([`${image.name} would be rebuilt:`, ...describe(reasons, "  ")].join("\n"));
    return 0;
  },
};

async function reasonsOf(image: Image): Promise<Reason[]> {
  const remembered = await rememberedInputs(await recordOfImage(image));
  if (remembered.length === 0) {
    throw new WaybillError(`${image.name} was not built on this machine, so there is nothing to compare with`, {
      mend: `./nx run ${image.name}:docker-build`,
    });
  }
  const after = await inputsOf(image);
  // The nearest of what gave this record, as any of them is a hit.
  const [nearest = []] = remembered
    .map((before) => differences(before, after))
    .toSorted((one, other) => one.length - other.length);
  return [...nearest, ...(await restlessBases(after))];
}

function differences(before: Inputs, after: Inputs): Reason[] {
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

/** Bases whose own inputs have changed: the image follows if their digest does. */
async function restlessBases(inputs: Inputs): Promise<Reason[]> {
  const reasons: Reason[] = [];
  for (const input of Object.keys(inputs).filter((name) => name.startsWith(SCOPE))) {
    const base = await findImage(input.slice(SCOPE.length));
    if ((await rememberedInputs(await recordOfImage(base))).length === 0) continue;
    const because = await reasonsOf(base);
    if (because.length > 0) reasons.push({ input, change: "would be rebuilt", because });
  }
  return reasons;
}

function describe(reasons: Reason[], indent: string): string[] {
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
