// Settings for buildah and podman that work in small virtual machines and containers too, in a storage folder of Waybill's own.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "@waybill/oci";
import { engineFolder } from "./home.ts";

const folder = (): string => join(engineFolder(), "containers");

const temporary = (): string => join(folder(), "tmp");

/** Where CAP_SYS_RESOURCE is missing, podman's default limits can't be set, and crun can't use hybrid cgroups. */
const CONTAINERS = `[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
`;

const storage = (): string => `[storage]
driver = "overlay"
graphroot = ${JSON.stringify(containersConf.storage())}
rootless_storage_path = ${JSON.stringify(containersConf.storage())}
runroot = ${JSON.stringify(join(folder(), "run"))}
`;

export const containersConf = {
  /** Where images and containers are. */
  storage: (): string => join(folder(), "storage"),
  env: (): Record<string, string | undefined> => ({
    CONTAINERS_CONF: join(folder(), "containers.conf"),
    CONTAINERS_STORAGE_CONF: join(folder(), "storage.conf"),
    REGISTRY_AUTH_FILE: undefined,
    // buildah's default for cache mounts is one folder in /var/tmp, which belongs to the first user who built.
    TMPDIR: temporary(),
  }),
  async write(): Promise<void> {
    await mkdir(temporary(), { recursive: true });
    await writeFileAtomic(join(folder(), "containers.conf"), CONTAINERS);
    await writeFileAtomic(join(folder(), "storage.conf"), storage());
  },
};
