// The images of this repo that an image is made of: those that it stands on, and those that its Dockerfile builds with.

import { type Image, SCOPE, findImages, ownEdges, recordOfImage } from "@waybill/image";

export interface Chain {
  /** The image and those below it, bases first: what is in them is in the image. */
  standsOn: Image[];
  /** All that it is built from, in the order in which they are built, itself last. */
  builtFrom: Image[];
}

/** @throws {WaybillError} an image has no record: it was never built */
export async function chainOf(image: Image): Promise<Chain> {
  const images = await findImages();
  return { standsOn: await below(image, images), builtFrom: inOrder([image], images) };
}

async function below(image: Image, images: ReadonlyMap<string, Image>): Promise<Image[]> {
  const { bases } = await recordOfImage(image);
  const found: Image[] = [];
  for (const { reference } of bases) {
    const base = reference.startsWith(SCOPE) ? images.get(reference.slice(SCOPE.length)) : undefined;
    if (base !== undefined) found.push(...(await below(base, images)));
  }
  return [...found, image];
}

/** Each once, after all that it is built from. */
export function inOrder(wanted: readonly Image[], images: ReadonlyMap<string, Image>): Image[] {
  const sorted = new Set<Image>();
  const visit = (image: Image): void => {
    if (sorted.has(image)) return;
    for (const name of ownEdges(image).keys()) {
      const base = images.get(name);
      if (base !== undefined) visit(base);
    }
    sorted.add(image);
  };
  for (const image of wanted) visit(image);
  return [...sorted];
}
