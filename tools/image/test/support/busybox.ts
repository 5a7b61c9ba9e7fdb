// A shell for RUN lines in images that have no base: the busybox that the debian base has pinned.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const LOCK = fileURLToPath(new URL("../../../../images/bases/debian/image.lock.json", import.meta.url));

const BIN = `FROM scratch
COPY --from=unpacked-busybox /usr/bin/busybox /bin/busybox
COPY --from=unpacked-busybox /usr/bin/busybox /bin/sh
`;

/** The first three lines of a Dockerfile, and the image.lock.json that goes with them. */
export async function busybox(): Promise<{ bin: string; lock: object }> {
  const { packages } = JSON.parse(await readFile(LOCK, "utf8")) as { packages: Record<string, unknown> };
  return { bin: BIN, lock: { lockVersion: 1, packages: { busybox: packages["busybox"] } } };
}
