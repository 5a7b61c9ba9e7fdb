// One spelling for a repository, whichever way people wrote it.

import { parseReference } from "@waybill/oci";

/** "redis" is "docker.io/library/redis". @throws {WaybillError} it is none */
export function normaliseRepository(text: string): string {
  const { registry, repository } = parseReference(text);
  return `${registry}/${repository}`;
}
