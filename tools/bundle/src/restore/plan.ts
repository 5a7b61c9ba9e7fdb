// What a restore would do, as data: it can be shown (`--dry-run`), and then carried out (restore.ts). Changes nothing.

import { type Descriptor, type Digest, WaybillError, mapLimit } from "@waybill/oci";
import type { LockedReferrer } from "../lock.ts";
import { nameOf } from "../read/name-of.ts";
import type { Bundle } from "../read/open.ts";
import type { BundledImage } from "../read/verify.ts";
import type { Destination } from "./destination.ts";
import { type Entries, type JoinedIndex, covers, entriesOf, join } from "./join.ts";

/** Requests under way at a time. */
const PARALLEL = 8;
/** Blobs named in an error. */
const SHOWN = 3;

/** For a tag that names another image at the destination already. */
export type OnConflict = "error" | "skip" | "overwrite" | "merge";

export interface RestorePlan {
  images: ImagePlan[];
  /** Blobs that neither the bundle nor its baseline nor the destination has; with any, nothing can be restored. */
  missing: { digest: Digest; reference: string }[];
}

export interface ImagePlan {
  reference: string;
  /** At the destination. */
  repository: string;
  /** Absent for an image that is named by its digest alone. */
  tag: string | undefined;
  /** What the tag will name. */
  digest: Digest;
  /** What it names now. */
  current: Digest | undefined;
  /** "keep": it names this image already; what is missing of it is sent all the same. */
  action: "create" | "keep" | "move" | "merge" | "skip" | "conflict";
  blobs: BlobPlan[];
  /** In the order they must be sent. */
  manifests: (Descriptor & { action: "send" | "keep" })[];
  /** Stored in place of the image's own index, or beside it. */
  joined: JoinedIndex | undefined;
  referrers: readonly LockedReferrer[];
  /** True for an index of which platforms are missing. */
  sparse: boolean;
}

export interface BlobPlan {
  digest: Digest;
  size: number;
  /** "take": from another repository of the destination. */
  action: "keep" | "send" | "take";
  /** A repository of the destination that has it, or will have it when its turn comes. */
  from: string | undefined;
}

export interface PlanOptions {
  onConflict: OnConflict;
  /** An index of the platforms that are here, for registries that take no other. */
  trim?: boolean | undefined;
  /** The bundle that this one is a delta to. */
  baseline?: Bundle | undefined;
}

/** @param images of the bundle, as `readImages` gave them */
export async function planRestore(
  bundle: Bundle,
  images: readonly BundledImage[],
  destination: Destination,
  options: PlanOptions,
): Promise<RestorePlan> {
  // All names first: one that can't be had is found before the destination is asked anything.
  const placed = images.map((each) => {
    const { reference } = nameOf(each.image.reference, each.image.digest);
    return { ...each, tag: reference.tag, place: destination.place(reference) };
  });
  const planner = new Planner(bundle, destination, options);
  const plan: RestorePlan = { images: [], missing: [] };
  for (const each of placed) {
    const made = await planner.image(each);
    plan.images.push(made.plan);
    for (const digest of made.missing) plan.missing.push({ digest, reference: each.image.reference });
  }
  return plan;
}

/** @throws {WaybillError} what forbids the plan to be carried out, all of it */
export function assertPossible({ images, missing }: RestorePlan, { where, lock }: Bundle): void {
  const conflicts = images.filter(({ action }) => action === "conflict");
  if (conflicts.length > 0) {
    const names = conflicts.map(({ repository, tag, current }) => `${repository}:${tag} is ${current}`);
    const mend = "choose with --on-conflict skip, overwrite or merge";
    throw new WaybillError(`other images have these names already: ${names.join(", ")}`, { where, mend });
  }
  if (missing.length === 0) return;
  const names = [...new Set(missing.map(({ digest }) => digest))];
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  const first = missing[0] as RestorePlan["missing"][number];
  throw new WaybillError(
    `this delta needs blobs that the destination has not got: ${names.slice(0, SHOWN).join(", ")}${more} (${first.reference})`,
    { where, mend: `restore its baseline first, or name it with --baseline (the bundle with lock ${lock.baseline})` },
  );
}

interface Placed extends BundledImage {
  tag: string | undefined;
  place: string;
}

class Planner {
  readonly #bundle: Bundle;
  readonly #destination: Destination;
  readonly #options: PlanOptions;
  /** The first repository that a blob is sent to: others can take it from there. */
  readonly #first = new Map<Digest, string>();
  /** "<repository>@<digest>" of what a plan has dealt with. */
  readonly #done = new Set<string>();
  readonly #baselines: Map<Digest, readonly string[]>;

  constructor(bundle: Bundle, destination: Destination, options: PlanOptions) {
    this.#bundle = bundle;
    this.#destination = destination;
    this.#options = options;
    this.#baselines = new Map(bundle.lock.blobs.map(({ digest, baseline = [] }) => [digest, baseline]));
  }

  async image(placed: Placed): Promise<{ plan: ImagePlan; missing: Digest[] }> {
    const { image, place, tag, contents } = placed;
    const plan: ImagePlan = {
      reference: image.reference,
      repository: place,
      tag,
      digest: image.digest,
      current: undefined,
      action: "create",
      blobs: [],
      manifests: [],
      joined: undefined,
      referrers: image.referrers ?? [],
      sparse: (image.absent ?? []).length > 0,
    };
    await this.#decide(plan, placed);
    if (plan.action === "skip" || plan.action === "conflict") return { plan, missing: [] };
    const missing = await this.#blobs(
      plan,
      contents.flatMap(({ blobs }) => blobs),
    );
    const manifests = contents.flatMap((each) => each.manifests);
    const wanted =
      this.#options.trim && plan.joined ? manifests.filter(({ digest }) => digest !== image.digest) : manifests;
    plan.manifests = await mapLimit(wanted, PARALLEL, async (manifest) => {
      const known = await this.#destination.client.headManifest(place, manifest.digest);
      return { ...manifest, action: known === undefined ? "send" : "keep" };
    });
    return { plan, missing };
  }

  /** What becomes of the tag. */
  async #decide(plan: ImagePlan, { image }: Placed): Promise<void> {
    const { client } = this.#destination;
    if (plan.tag === undefined) {
      const known = await client.headManifest(plan.repository, plan.digest);
      plan.action = known === undefined ? "create" : "keep";
      return;
    }
    const trimmed = this.#options.trim === true && plan.sparse;
    const ours = async (): Promise<Entries> =>
      await entriesOf(
        { ...image, bytes: await this.#bundle.read(image) },
        image.platforms.map(({ digest }) => digest),
        (config) => this.#bundle.read(config),
      );
    if (trimmed) rename(plan, join(await ours(), []));
    const current = await client.getManifest(plan.repository, plan.tag);
    plan.current = current?.digest;
    if (current === undefined) return;
    plan.action = current.digest === plan.digest ? "keep" : "conflict";
    const { onConflict } = this.#options;
    if (plan.action === "keep" || onConflict === "error") return;
    if (onConflict === "skip") plan.action = "skip";
    if (onConflict === "overwrite") plan.action = "move";
    if (onConflict === "merge") {
      const others = await entriesOf(current, undefined, (config) => this.#readThere(plan.repository, config));
      this.#merge(plan, await ours(), others, current.digest);
    }
  }

  #merge(plan: ImagePlan, ours: Entries, others: Entries, current: Digest): void {
    const joined = join(ours, others);
    if (covers(others, ours) && covers(ours, others)) {
      plan.action = "keep";
      plan.digest = current;
      return;
    }
    rename(plan, joined);
    plan.action = joined.digest === current ? "keep" : "merge";
  }

  async #readThere(repository: string, { digest, size }: Descriptor): Promise<Uint8Array> {
    return Buffer.concat((await this.#destination.client.blobs.get(repository, digest, size).toArray()) as Buffer[]);
  }

  /** @returns the blobs that nobody has */
  async #blobs(plan: ImagePlan, blobs: readonly Descriptor[]): Promise<Digest[]> {
    const missing: Digest[] = [];
    const news = blobs.filter(({ digest }) => {
      const key = `${plan.repository}@${digest}`;
      return !this.#done.has(key) && this.#done.add(key);
    });
    plan.blobs = await mapLimit(news, PARALLEL, async ({ digest, size }) => {
      const found = await this.#find(plan.repository, digest);
      if (found === undefined) missing.push(digest);
      return { digest, size, ...(found ?? { action: "send", from: undefined }) };
    });
    for (const { digest } of plan.blobs) if (!this.#first.has(digest)) this.#first.set(digest, plan.repository);
    return missing;
  }

  async #find(repository: string, digest: Digest): Promise<Pick<BlobPlan, "action" | "from"> | undefined> {
    const { client } = this.#destination;
    const from = this.#first.get(digest);
    if (await client.blobs.has(repository, digest)) return { action: "keep", from: undefined };
    if (this.#bundle.blobs.has(digest) || this.#options.baseline?.blobs.has(digest)) return { action: "send", from };
    if (from !== undefined) return { action: "take", from };
    for (const name of this.#baselines.get(digest) ?? []) {
      const other = this.#destination.place(nameOf(`${name}@${digest}`, digest).reference);
      if (await client.blobs.has(other, digest)) return { action: "take", from: other };
    }
    return undefined;
  }
}

/** The image's name will lead to an index of ours. */
function rename(plan: ImagePlan, joined: JoinedIndex): void {
  plan.joined = joined;
  plan.digest = joined.digest;
}
