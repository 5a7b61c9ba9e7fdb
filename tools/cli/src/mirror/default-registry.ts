// Where images are pushed when nobody has said where: the mirror of this machine.

import { findMirror, mirrorFolder, readMirror } from "@waybill/mirror/backend";
import { WaybillError } from "@waybill/oci";
import { launch } from "@waybill/registry";
import { SAY_WHERE } from "../settings.ts";

/**
 * The mirror that runs, or starts if it is set up.
 * @param say gets one line: what was decided
 * @returns its host and port, and a path if it wants one
 * @throws {WaybillError} there is none; or this is CI, whose registry of the moment nobody would see again
 */
export async function defaultRegistry(say: (line: string) => void): Promise<string> {
  if (process.env["CI"] !== undefined) throw new WaybillError("no registry is configured", { mend: SAY_WHERE });
  const folder = mirrorFolder();
  const running = await findMirror(folder);
  const { host } = new URL(running?.url ?? (await start(folder)));
  const registry = running?.own === undefined ? host : `${host}/${running.own}`;
  say(
    `no registry is configured: ${running === undefined ? "started" : "using"} the mirror of this machine, ${registry}`,
  );
  return registry;
}

async function start(folder: string): Promise<string> {
  const mirror = await readMirror(folder);
  if (mirror === undefined) {
    const mend = `npx waybill mirror setup makes one on this machine; or say where: ${SAY_WHERE}`;
    throw new WaybillError("no registry is configured", { mend });
  }
  if (mirror.name === "waybill") return (await launch(folder)).url;
  throw new WaybillError(`no registry is configured, and the mirror (${mirror.name}) does not answer`, {
    where: mirror.url,
    mend: SAY_WHERE,
  });
}
