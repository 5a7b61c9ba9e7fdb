// waybill mirror list: what the mirror holds, or what lists and folders want and whether it is here.

import { formatBytes, formatTable, shortDigest } from "@waybill/format";
import { type Backend, locate, readMirror } from "@waybill/mirror/backend";
import { type Wanted, merged } from "@waybill/mirror/lists";
import { formatReference } from "@waybill/oci";
import { type Holding, Holdings } from "@waybill/registry";
import { type Command, type Values, list } from "../command.ts";
import { DIR, folderOf, ourFolderOf } from "./folder.ts";
import { holdingsOf, platformsOf, scannedIn, wantedOf } from "./pulling.ts";

export const command: Command = {
  summary: "what it holds; with lists or --scan, what these want and whether it is held",
  usage: "[<list|image>…]",
  options: {
    ...DIR,
    scan: { type: "string", multiple: true },
    platform: { type: "string", multiple: true },
    "all-platforms": { type: "boolean" },
  },
  async run(names, values) {
    const folders = list(values, "scan");
    if (names.length + folders.length === 0) return await listHeld(await ourFolderOf(values), values);
    return await listWanted([...merged(await wantedOf(names)), ...(await scannedIn(folders))], values);
  },
};

async function listHeld(folder: string, values: Values): Promise<0> {
  const held = await Array.fromAsync(new Holdings(folder).all());
  if (values["json"] === true) {
    const images = held.map(({ lastPull, ...each }) => ({ ...each, lastPull: new Date(lastPull).toISOString() }));
    console.log(JSON.stringify({ schemaVersion: 1, images }));
  } else if (held.length === 0) console.log("nothing is held");
  else console.log(formatTable(["image", "digest", "platforms", "size", "last pull"], held.map(rowOf), [3]));
  return 0;
}

function rowOf(held: Holding): string[] {
  const { repository, tag, digest, size, lastPull } = held;
  const name = tag === undefined ? `${repository}@` : `${repository}:${tag}`;
  const when = new Date(lastPull).toISOString().slice(0, 16).replace("T", " ");
  return [name, shortDigest(digest), describePlatforms(held), formatBytes(size), when];
}

const describePlatforms = ({ platforms }: Holding): string =>
  platforms.map(({ platform = "-", complete }) => (complete ? platform : `${platform} (in part)`)).join(", ");

interface Listed {
  where: string | undefined;
  image: string;
  /** "in part": not for every platform, or not every layer. */
  held: "yes" | "in part" | "no" | "unknown";
}

async function listWanted(wanted: readonly Wanted[], values: Values): Promise<0> {
  const folder = folderOf(values);
  const mirror = await readMirror(folder);
  const holdings = holdingsOf(mirror, folder);
  const platforms = platformsOf(values);
  const listed: Listed[] = [];
  for (const each of wanted) {
    const chosen = platforms === "all" ? undefined : (each.platforms ?? platforms);
    const held = mirror && holdings ? await isHeld(mirror, holdings, each, chosen) : "unknown";
    listed.push({ where: each.where, image: formatReference(each.reference), held });
  }
  if (values["json"] === true) console.log(JSON.stringify({ schemaVersion: 1, images: listed }));
  else console.log(formatTable(["wanted by", "image", "held"], listed.map(wantedRow)));
  return 0;
}

const wantedRow = ({ where = "", image, held }: Listed): string[] => [where, image, held];

/** @param platforms undefined for all */
async function isHeld(
  mirror: Backend,
  holdings: Holdings,
  { reference }: Wanted,
  platforms: readonly string[] | undefined,
): Promise<Listed["held"]> {
  const located = locate(mirror, reference);
  const { tag = "latest", digest } = reference;
  const holding = located && (await holdings.find(located.repository, digest === undefined ? { tag } : { digest }));
  if (holding === undefined) return "no";
  const complete = holding.platforms.filter((each) => each.complete);
  const has = (wanted: string): boolean =>
    complete.some(({ platform }) => platform === undefined || `${platform}/`.startsWith(`${wanted}/`));
  const all = holding.absent === 0 && complete.length === holding.platforms.length;
  const whole = platforms === undefined ? all : platforms.every(has);
  return whole && complete.length > 0 ? "yes" : "in part";
}
