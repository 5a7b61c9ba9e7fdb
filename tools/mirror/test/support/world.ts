// A mirror and what it mirrors: Debian's docker-registry stands in for an upstream, with an image that was pushed to it.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CLIENTS } from "@waybill/mirror/clients";
import { readMirror } from "@waybill/mirror/backend";
import { run } from "@waybill/oci";
import { startRegistry } from "@waybill/testing";
import { onTestFinished } from "vitest";
import { type TestRegistry, startTestRegistry, temporaryFolder } from "../../../registry/test/harness.ts";
import { makeLayout } from "../../../registry/test/layout.ts";

export interface World {
  mirror: TestRegistry;
  /** Host and port of the upstream itself. */
  upstream: string;
  /** Writes what `waybill mirror clients` writes. @returns the folder it is below */
  settingsOf(client: string): Promise<string>;
  /** The repository of the image that the mirror was last asked for. */
  pulled(): string | undefined;
}

/** @param name that the upstream goes by, by default its own; it has team/api:1.0 */
export async function startWorld(name?: string, settings: object = {}): Promise<World> {
  const upstream = await startRegistry();
  const host = name ?? upstream.host;
  onTestFinished(() => upstream.stop());
  const folder = await temporaryFolder();
  await pushImage(folder, `${upstream.host}/team/api:1.0`);
  const upstreams = { [host]: { url: `http://${upstream.host}`, revalidateAfter: "0s" } };
  const mirror = await startTestRegistry({ upstreams, ...settings });
  const config = { listen: mirror.host, upstreams, ...settings };
  await writeFile(join(mirror.folder, "config.json"), JSON.stringify(config));
  return {
    mirror,
    upstream: upstream.host,
    pulled: () => mirror.server.registry.pulls.newest()[0]?.image.replace(/(:[^/]+)?(@.*)?$/, ""),
    async settingsOf(client) {
      const backend = await readMirror(mirror.folder);
      if (backend === undefined) throw new Error("the mirror is not set up");
      const out = join(folder, "settings");
      for (const [path, text] of Object.entries(CLIENTS[client]?.(backend).files ?? {})) {
        await mkdir(dirname(join(out, path)), { recursive: true });
        await writeFile(join(out, path), text);
      }
      return out;
    },
  };
}

export async function pushImage(folder: string, reference: string): Promise<void> {
  const layout = await makeLayout(folder);
  const args = ["copy", "--dest-tls-verify=false", `oci:${layout}:latest`, `docker://${reference}`];
  await run("skopeo", args, { check: true, timeoutMs: 60_000 });
}
