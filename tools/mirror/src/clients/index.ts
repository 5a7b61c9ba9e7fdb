// The clients whose settings we write.

import { buildkit } from "./buildkit.ts";
import type { Client } from "./client.ts";
import { containerd } from "./containerd.ts";
import { docker } from "./docker.ts";
import { podman } from "./podman.ts";

export const CLIENTS: Readonly<Record<string, Client>> = { containerd, podman, docker, buildkit };

export { merged } from "./merge.ts";
