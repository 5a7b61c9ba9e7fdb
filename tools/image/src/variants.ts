// Which of an image's variants a build makes: those that come with every build, and those that somebody asks for.

import { relative } from "node:path";
import { WaybillError } from "@waybill/oci/error";
import { type Image, readableImages } from "./image.ts";

/** Names variants to build: `ml:cuda,agent:debug`. In the environment, so that Nx has it in the hash. */
export const ASKED_VARIANTS = "WAYBILL_VARIANTS";

/**
 * What the environment asks of this image.
 * @throws {WaybillError} it asks something of no image: a misspelt name must not pass for done
 */
export async function askedOf({ name }: Pick<Image, "name">, asked = process.env[ASKED_VARIANTS]): Promise<string[]> {
  if (asked === undefined || asked === "") return [];
  const images = await readableImages();
  const pairs = asked.split(",").map((pair) => pair.trim());
  return pairs.flatMap((pair) => {
    const [image = "", variant = ""] = pair.split(":");
    if (!images.has(image) || variant === "") {
      throw new WaybillError(`${ASKED_VARIANTS} asks for "${pair}"`, { mend: "write image:variant, such as ml:cuda" });
    }
    return image === name ? [variant] : [];
  });
}

/**
 * Stages by variant, in the order of project.json.
 * @param asked names, beside those that are always built
 * @throws {WaybillError} the image has no such variant
 */
export function variantsToBuild(
  { name, folder, metadata }: Image,
  asked: readonly string[] = [],
): Record<string, string> {
  const { variants } = metadata;
  const unknown = asked.find((each) => !Object.hasOwn(variants, each));
  if (unknown !== undefined) {
    throw new WaybillError(`${name} has no variant ${unknown}`, {
      where: relative(process.cwd(), folder),
      mend: `its variants are ${Object.keys(variants).join(", ") || "none"}`,
    });
  }
  const wanted = Object.entries(variants).filter(([each, { when }]) => when !== "asked" || asked.includes(each));
  return Object.fromEntries(wanted.map(([each, { target }]) => [each, target]));
}
