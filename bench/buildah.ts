// buildah on an image's Dockerfile, with the argv of Waybill's own buildah driver. The image keeps its name, so that its layers
// stay cached from one run of the bench to the next.

import type { Image } from "@waybill/image";
import { hostCa } from "@waybill/engine";
import { buildArguments } from "../tools/engine/src/buildah.ts";
import { containersConf } from "../tools/engine/src/containers-conf.ts";
import { contextsOf, platformOf } from "./engine.ts";
import { envWith, sh } from "./shell.ts";

export async function buildahBuild(image: Image): Promise<void> {
  await containersConf.write();
  const ca = hostCa();
  const request = {
    dockerfile: image.dockerfile,
    context: image.folder,
    platforms: [platformOf(image)],
    buildArgs: image.metadata.buildArgs,
    contexts: await contextsOf(image),
    secrets: ca === undefined ? {} : { ca },
  };
  const args = await buildArguments(request, `localhost/waybill-bench/${image.name}`);
  await sh({ env: envWith(containersConf.env()) })`buildah ${args}`;
}
