// Where the images of a bundle come from: images of this repo from the machine's store, all others through the mirror where it runs, or
// from the registry that --from names, or from where their references point.

import { type ImageSource, fromRegistry, fromStore } from "@waybill/bundle";
import { ensureBytes, findImage, readableImages, recordOfImage, store } from "@waybill/image";
import { type Backend, clientOf, findMirror, locate } from "@waybill/mirror/backend";
import { type Wanted, isList, loadList, merged } from "@waybill/mirror/lists";
import { type Reference, componentOfRegistry, isExpected, parseReference } from "@waybill/oci";
import { RegistryClient } from "@waybill/oci/registry";
import { type Values, text } from "../command.ts";
import { settings } from "../settings.ts";
import { folderOf } from "./folder.ts";

const ONCE = { attempts: 1, pauseMs: 0, maxPauseMs: 0 };

export interface SourcedImage {
  source: ImageSource;
  /** Those that a list asks for; undefined for what everything is wanted for. */
  platforms: readonly string[] | undefined;
}

/**
 * @param names images of this repo ("api", "api:1.4.2"), references, lists
 * @param more wanted by others: what a folder names
 */
export async function sourcesOf(
  names: readonly string[],
  more: readonly Wanted[],
  values: Values,
  signal: AbortSignal,
): Promise<SourcedImage[]> {
  const own: SourcedImage[] = [];
  const wanted: Wanted[] = [...more];
  for (const name of names) {
    const ours = isList(name) ? [] : await ownImages(name);
    if (ours.length > 0) own.push(...ours.map((source) => ({ source, platforms: undefined })));
    else if (isList(name)) wanted.push(...(await loadList(name)));
    else wanted.push({ reference: parseReference(name) });
  }
  const all = merged(wanted);
  const sourceOf = all.length === 0 ? undefined : await wayTo(values, signal);
  const others = all.map(async ({ reference, platforms }) => ({
    source: (await sourceOf?.(reference)) as ImageSource,
    platforms,
  }));
  return [...own, ...(await Promise.all(others))];
}

/** An image of this repo and its variants, named as they would be pushed; none where no image has that name. */
async function ownImages(text: string): Promise<ImageSource[]> {
  const [, name = "", tag = "latest"] = /^([a-z0-9-]+)(?::([\w.-]+))?$/.exec(text) ?? [];
  // Outside of a workspace no name is one of ours.
  const images = name === "" ? undefined : await readableImages().catch(unlessBug);
  if (images?.has(name) !== true) return [];
  const image = await findImage(name);
  const record = await recordOfImage(image);
  await ensureBytes(image, record);
  const { registry } = await settings();
  const repository = `${registry}/${image.metadata.repository ?? image.name}`;
  const variants = Object.entries(record.variants).map(
    ([variant, { digest }]) => [`${tag}-${variant}`, digest] as const,
  );
  return [[tag, record.digest] as const, ...variants].map(([each, digest]) =>
    fromStore(store(), digest, parseReference(`${repository}:${each}`)),
  );
}

function unlessBug(error: unknown): undefined {
  if (!isExpected(error)) throw error;
}

type Way = (reference: Reference) => Promise<ImageSource>;

async function wayTo(values: Values, signal: AbortSignal): Promise<Way> {
  const from = text(values, "from");
  if (from !== undefined) return fromThere(from, values["plain-http"] === true, signal);
  const mirror = await findMirror(folderOf(values));
  const direct = clients(signal);
  return async (reference) => {
    const through = mirror && (await throughMirror(mirror, reference, signal));
    return through ?? fromRegistry(direct(reference.registry), reference.repository, reference);
  };
}

/** Named there as a mirror or a restored bundle has it. */
function fromThere(place: string, plainHttp: boolean, signal: AbortSignal): Way {
  const [registry = "", ...prefix] = place.split("/");
  const client = new RegistryClient(registry, { signal, ...(plainHttp && { plainHttp }) });
  return (reference) => {
    const name = [...prefix, componentOfRegistry(reference.registry), reference.repository].join("/");
    return Promise.resolve(fromRegistry(client, name, reference));
  };
}

/** Undefined for what the mirror doesn't know: then the registry itself is asked. */
async function throughMirror(
  mirror: Backend,
  reference: Reference,
  signal: AbortSignal,
): Promise<ImageSource | undefined> {
  const located = locate(mirror, reference);
  if (located === undefined) return undefined;
  const { registry, repository, plainHttp, tag = "latest", digest } = located;
  const asked = clientOf(mirror, located, { retry: ONCE, signal });
  const found = await asked.headManifest(repository, digest ?? tag).catch(() => undefined);
  if (found === undefined) return undefined;
  return fromRegistry(new RegistryClient(registry, { plainHttp, signal }), repository, reference);
}

/** One for each registry: it keeps tokens. */
function clients(signal: AbortSignal): (registry: string) => RegistryClient {
  const known = new Map<string, RegistryClient>();
  return (registry) => {
    const client = known.get(registry) ?? new RegistryClient(registry, { signal });
    known.set(registry, client);
    return client;
  };
}
