// What a chart's templates make of its values: images that no file names as they are. Asks the Helm of this machine, if there is one.

import { helmTemplate } from "@waybill/chart/helm";
import { formatReference } from "@waybill/oci";
import { kubernetesPlaces } from "./kinds/kubernetes.ts";
import type { Found, Place } from "./place.ts";
import { NOTHING } from "./place.ts";
import { readYaml } from "./yaml.ts";

/** Places have no line: what is rendered is nowhere. */
export async function renderedPlaces(chart: string, where: string): Promise<Found> {
  try {
    const text = await helmTemplate("helm", chart);
    const places = kubernetesPlaces(readYaml(text, where), where).map(({ reference }): Place => ({
      line: 0,
      reference,
    }));
    const byName = new Map(places.map((place) => [formatReference(place.reference), place]));
    return { ...NOTHING, places: [...byName.values()] };
  } catch (error) {
    const { message } = error as Error;
    if (message.includes("is not installed")) return NOTHING;
    return { ...NOTHING, problems: [`${where}: not rendered: ${message.split("\n")[0]}`] };
  }
}
