// A place of a file that names an image.

import type { Reference } from "@waybill/oci";
import { WaybillError, parseReference } from "@waybill/oci";

/** Offsets into the file's text, the end excluded. */
export interface Span {
  start: number;
  end: number;
}

export interface Place {
  /** From 1; 0 where it isn't known: what a template renders. */
  line: number;
  /** With variables put in. */
  reference: Reference;
  /**
   * Where its name is written; absent where it is not written in one piece. `whole` may go on after the name with a tag, a digest, or
   * variables for them; `registry` holds what stands before "/repository".
   */
  written?: { kind: "whole"; span: Span } | { kind: "registry"; span: Span; repository: string };
}

/** What a file names, and what could not be read of it: a line for people each. */
export interface Found {
  places: Place[];
  problems: string[];
  /** What COPY --from names without tag or path: build contexts as likely as images. */
  contexts: string[];
}

export const NOTHING: Readonly<Found> = { places: [], problems: [], contexts: [] };

/** Undefined for what is no reference, such as one with variables that nobody knows. */
export function referenceOf(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof WaybillError) return undefined;
    throw error;
  }
}
