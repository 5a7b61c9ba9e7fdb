// Where a bundle goes, and what its images are called there.

import { type Reference, WaybillError, componentOfRegistry, isRepository } from "@waybill/oci";
import type { RegistryClient } from "@waybill/oci/registry";

export interface Destination {
  client: RegistryClient;
  /** For people: "the mirror at 127.0.0.1:5000", "registry.example.com/mirror". */
  label: string;
  /** The repository that an image goes into. @throws {WaybillError} it can't go there */
  place(reference: Reference): string;
}

/** A registry, below a prefix or not: ghcr.io/acme/api is <prefix>/ghcr.io/acme/api there, as mirrors have it. */
export function toRegistry(client: RegistryClient, prefix: string): Destination {
  const place = ({ registry, repository }: Reference): string => {
    const name = [prefix, componentOfRegistry(registry), repository].filter((part) => part !== "").join("/");
    if (isRepository(name)) return name;
    throw new WaybillError(`"${name}" is not the name of a repository`, { mend: "choose another prefix" });
  };
  return { client, label: [client.registry, prefix].filter((part) => part !== "").join("/"), place };
}
