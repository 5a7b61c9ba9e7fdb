// The name of an image in a bundle, taken apart. It comes from the lock, so it is checked like anything from outside.

import { type Digest, type Reference, WaybillError, formatReference, parseReference } from "@waybill/oci";

export interface BundledName {
  reference: Reference;
  /** "ghcr.io/acme/api" */
  name: string;
}

/** @throws {WaybillError} it is no whole reference, or pins another digest than the image has */
export function nameOf(text: string, digest: Digest): BundledName {
  const reference = parseReference(text);
  const { registry, repository } = reference;
  const whole = reference.tag !== undefined || reference.digest !== undefined;
  if (!whole || formatReference(reference) !== text)
    throw new WaybillError(`"${text}" is not the whole of a reference`, { where: "waybill.lock.json" });
  if (reference.digest !== undefined && reference.digest !== digest)
    throw new WaybillError(`the lock says ${text} is ${digest}`, { where: "waybill.lock.json" });
  return { reference, name: `${registry}/${repository}` };
}
