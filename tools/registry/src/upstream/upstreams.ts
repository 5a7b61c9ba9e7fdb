// The registries we fetch from, by host.

import { nameUnknown } from "../api/problem.ts";
import type { Config } from "../config.ts";
import type { Name } from "../name.ts";
import { Upstream } from "./upstream.ts";
import type { UpstreamHealth } from "./upstream.ts";

/** A repository of an upstream. */
export type UpstreamName = Name & { upstream: string };

export class Upstreams {
  readonly #config: Config["upstreams"];
  readonly #signal: AbortSignal;
  readonly #known = new Map<string, Upstream>();

  /** @param signal ends what is under way when the server stops */
  constructor(config: Config["upstreams"], signal: AbortSignal) {
    this.#config = config;
    this.#signal = signal;
    for (const host of Object.keys(config)) if (host !== "*") this.of(host);
  }

  /** True if the configuration lets us ask this host. */
  knows(host: string): boolean {
    return (this.#config[host] ?? this.#config["*"]) !== undefined;
  }

  /** @throws {Problem} 404: not one of ours */
  of(host: string): Upstream {
    const known = this.#known.get(host);
    if (known) return known;
    const config = this.#config[host] ?? this.#config["*"];
    if (config === undefined) throw nameUnknown(host);
    const upstream = new Upstream(host, config, this.#signal);
    this.#known.set(host, upstream);
    return upstream;
  }

  health(): UpstreamHealth[] {
    return [...this.#known.values()].map(({ health }) => health);
  }
}
