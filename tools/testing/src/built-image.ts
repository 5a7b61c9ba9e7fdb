// The image as it was built, by its record, ready to run in the engine's own storage.

import { chooseEngine, type ContainerCommand, storeFolder } from "@waybill/engine";
import { ensureBytes, findImage, recordOfImage } from "@waybill/image";
import type { ImageRecord } from "@waybill/oci";
import { Container, containerCommand, type ContainerOptions } from "./container.ts";

export interface BuiltImage {
  record: ImageRecord;
  /** Starts a container and returns at once; await `logged` or `exited` for what it does. */
  run(options?: ContainerOptions): Promise<Container>;
  /** What `run` starts, for clients that start programs themselves and speak with them over stdin (`--interactive`). */
  command(options?: ContainerOptions): ContainerCommand;
}

/**
 * @param name the image's name; images/<name>/dist/image.json says which digest is tested
 * @param variant a name of metadata.image.variants, such as `debug`
 */
export async function builtImage(name: string, variant?: string): Promise<BuiltImage> {
  const image = await findImage(name);
  const record = await recordOfImage(image);
  await ensureBytes(image, record);
  const digest = variant === undefined ? record.digest : record.variants?.[variant]?.digest;
  if (digest === undefined) throw new Error(`${name} has no variant ${variant}`);
  const engine = chooseEngine();
  const reference = `localhost/waybill-test/${name}:${digest.replace("sha256:", "").slice(0, 20)}`;
  const loaded = await engine.load(storeFolder(), digest, reference);
  return {
    record,
    run: (options = {}) => Container.start(engine, loaded, options),
    command: (options = {}) => containerCommand(engine, loaded, options).command,
  };
}
