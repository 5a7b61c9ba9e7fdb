// What kind of file names images, and which those are.

import { basename } from "node:path";
import { WaybillError } from "@waybill/oci";
import { composePlaces } from "./kinds/compose.ts";
import { dockerfilePlaces } from "./kinds/dockerfile.ts";
import { kubernetesPlaces, kustomizationPlaces } from "./kinds/kubernetes.ts";
import { templatePlaces } from "./kinds/template.ts";
import { valuesPlaces } from "./kinds/values.ts";
import { workflowPlaces } from "./kinds/workflow.ts";
import { type Found, NOTHING, type Place } from "./place.ts";
import { type Yaml, readYaml } from "./yaml.ts";

type Reader = (text: string, where: string, context: Context) => Found;

export interface Context {
  /** Of the chart whose values these are. */
  appVersion?: string | undefined;
}

const ofYaml =
  (read: (yaml: Yaml, where: string) => Place[]): Reader =>
  (text, where) => ({ ...NOTHING, places: read(readYaml(text, where), where) });

/** By path, the first that fits. */
const KINDS: readonly [RegExp, Reader][] = [
  [/(?:^|\/)(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?$|\.(?:[Dd]ockerfile|[Cc]ontainerfile)$/, dockerfilePlaces],
  [/(?:^|\/)\.(?:github|forgejo|gitea)\/workflows\/[^/]+\.ya?ml$/, ofYaml(workflowPlaces)],
  [/(?:^|\/)action\.ya?ml$/, ofYaml(workflowPlaces)],
  [/(?:^|\/)(?:docker-)?compose[\w.-]*\.ya?ml$/, ofYaml(composePlaces)],
  [/(?:^|\/)kustomization\.ya?ml$/, ofYaml(kustomizationPlaces)],
  [/(?:^|\/)(?:[\w.-]+[.-])?values(?:[.-][\w.-]+)?\.ya?ml$/, readValues],
  [/(?:^|\/)templates\/.*\.(?:ya?ml|tpl)$/, (text) => ({ ...NOTHING, places: templatePlaces(text) })],
  [/\.ya?ml$/, ofYaml(kubernetesPlaces)],
];

const readerOf = (path: string): Reader | undefined => KINDS.find(([pattern]) => pattern.test(path))?.[1];

/** True for a file of a kind that names images. */
export const namesImages = (path: string): boolean => readerOf(path.replaceAll("\\", "/")) !== undefined;

/**
 * What a file names.
 * @param where names it in problems
 */
export function scanText(text: string, path: string, where: string, context: Context = {}): Found {
  const read = readerOf(path);
  if (read === undefined) return NOTHING;
  try {
    return read(text, where, context);
  } catch (error) {
    if (!(error instanceof WaybillError)) throw error;
    // Much that ends in .yaml is a template of something, and none of ours.
    const matters = /^\s*(?:- )?image:/m.test(text) || basename(path).includes("compose");
    return { ...NOTHING, problems: matters ? [`${error.where ?? where}: ${error.what}`] : [] };
  }
}

function readValues(text: string, where: string, { appVersion }: Context): Found {
  return { ...NOTHING, places: valuesPlaces(text, where, appVersion) };
}
