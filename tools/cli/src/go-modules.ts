// Moves the Go module that an image repackages, by the pinned Go that also builds it: the machine needs none.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { hostPlatform } from "@waybill/engine";
import { type Image, findImages } from "@waybill/image";
import { setFolder } from "@waybill/image/sets";
import { type MovedModule, goModule, moveModule } from "@waybill/lock";
import { WaybillError } from "@waybill/oci";

const TOOLCHAIN = "toolchain-go";

export interface GoUpdate {
  to: string | undefined;
  onProgress: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/**
 * @returns undefined for an image whose upstream is no Go module
 * @throws {WaybillError} no go.mod of the image requires it, Go can't be had, or upstream has no such version
 */
export async function moveGoModule(
  image: Image,
  { to, onProgress, signal }: GoUpdate,
): Promise<MovedModule | undefined> {
  const [, path] = /^go:(.+)$/.exec(image.metadata.upstream ?? "") ?? [];
  if (path === undefined) return undefined;
  const module = await goModule(image.folder, path);
  if (module === undefined)
    throw new WaybillError(`no go.mod of ${image.name} requires ${path}`, {
      where: join(image.folder, "project.json"),
      mend: 'name the module that src/go.mod requires as "upstream"',
    });
  const root = await goRoot(onProgress);
  onProgress(`asking for ${path}`);
  return await moveModule(image.folder, module, { to, go: join(root, "bin/go"), env: { GOROOT: root }, signal });
}

/** Of Debian's packages, unpacked once. */
async function goRoot(onLine: (line: string) => void): Promise<string> {
  const toolchain = (await findImages()).get(TOOLCHAIN);
  if (toolchain === undefined) {
    const mend = "edit src/go.mod, then go mod tidy";
    throw new WaybillError(`there is no image ${TOOLCHAIN} whose Go could move it`, { mend });
  }
  const set = { kind: "unpacked", set: "go" } as const;
  const folder = await setFolder(toolchain, set, toolchain.folder, { buildArgs: {}, platform: hostPlatform(), onLine });
  const libraries = join(folder, "usr/lib");
  const name = (await readdir(libraries)).find((each) => /^go-\d/.test(each));
  if (name === undefined) throw new WaybillError(`no Go is in the set "go"`, { where: toolchain.folder });
  return join(libraries, name);
}
