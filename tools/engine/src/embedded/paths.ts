// The private engine's places and environment.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { engineFolder, socketFolder } from "../home.ts";

export interface EmbeddedPaths {
  /** Programs, extracted from Debian packages. */
  root: string;
  /** Layers, build cache, containers. Survives restarts. */
  data: string;
  log: string;
  sockets: string;
  docker: string;
  containerd: string;
  pid: string;
  leases: string;
  config: string;
}

/** @param uid whose engine it is, as for `socketFolder` */
export function embeddedPaths(uid?: number): EmbeddedPaths {
  const base = engineFolder();
  const sockets = socketFolder(uid);
  return {
    root: join(base, "root"),
    data: join(base, "data"),
    log: join(base, "engine.log"),
    sockets,
    docker: join(sockets, "docker.sock"),
    containerd: join(sockets, "containerd.sock"),
    pid: join(sockets, "supervisor.pid"),
    leases: join(sockets, "leases"),
    config: join(base, "client"),
  };
}

export const isInstalled = (paths = embeddedPaths()): boolean => existsSync(join(paths.root, ".complete"));

/** What a docker client needs to find the private engine and nothing else. */
export function clientEnv(paths = embeddedPaths()): Record<string, string | undefined> {
  return {
    DOCKER_HOST: `unix://${paths.docker}`,
    DOCKER_CONFIG: paths.config,
    DOCKER_CONTEXT: undefined,
    BUILDX_BUILDER: undefined,
    PATH: programPath(paths),
  };
}

export const programPath = (paths: EmbeddedPaths): string =>
  `${join(paths.root, "usr/bin")}:${join(paths.root, "usr/sbin")}:${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;

/** The plugin itself, which runs without docker around it. */
export const buildxPlugin = (paths = embeddedPaths()): string =>
  join(paths.root, "usr/libexec/docker/cli-plugins/docker-buildx");
