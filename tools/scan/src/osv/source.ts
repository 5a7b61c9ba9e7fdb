// Where advisories come from: OSV's own service, another that speaks its protocol, or a folder of its files where no network is.

import { existsSync } from "node:fs";
import { WaybillError } from "@waybill/oci";
import type { Subject } from "../subject.ts";
import type { Advisory } from "./advisory.ts";

/** OSV's own, public and without an account (https://google.github.io/osv.dev/api/). */
const PUBLIC = "https://api.osv.dev";

export interface AdvisorySource {
  /** A URL or a folder, for messages. */
  name: string;
  /**
   * Every advisory that may be about one of these packages; which are is judged from the advisories themselves.
   * @throws {WaybillError} it can't be asked, or answers what is not OSV's format
   */
  advisoriesOn(subjects: readonly Subject[]): Promise<Advisory[]>;
}

/**
 * The source that WAYBILL_OSV_URL names, else the one of nx.json, else OSV's own.
 * @throws {WaybillError} it is a folder that isn't there
 */
export async function advisorySource(
  setting: string | undefined,
  env: Record<string, string | undefined> = process.env,
): Promise<AdvisorySource> {
  const place = env["WAYBILL_OSV_URL"] || setting || PUBLIC;
  if (/^https?:\/\//.test(place)) {
    const { OsvApi } = await import("./api.ts");
    return new OsvApi(place.replace(/\/+$/, ""));
  }
  if (!existsSync(place)) {
    const mend = "WAYBILL_OSV_URL is an http(s) address, or a folder with the files of OSV's all.zip";
    throw new WaybillError("there is no such folder of advisories", { where: place, mend });
  }
  const { OsvFolder } = await import("./folder.ts");
  return new OsvFolder(place);
}

/** For patches that go by Debian's archive alone, where no advisories can be had (WAYBILL_OSV_URL=off). A scan would find nothing. */
export const noAdvisories: AdvisorySource = { name: "off", advisoriesOn: () => Promise.resolve([]) };
