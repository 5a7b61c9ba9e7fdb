// What a registry answers when it can't do what was asked: a status, and the spec's error body (distribution-spec, "Error Codes").

import { escapeControls } from "@waybill/oci/error";

export type Code =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "SIZE_INVALID"
  | "UNAUTHORIZED"
  | "DENIED"
  | "UNSUPPORTED"
  | "TOOMANYREQUESTS"
  // Not the spec's, but what registries say where it names nothing that fits.
  | "UNAVAILABLE"
  | "UNKNOWN";

type Headers = Record<string, string>;

/** An answer that is an error. Not a bug: it is sent, counted, and that is all. */
export class Problem extends Error {
  override name = "Problem";
  readonly status: number;
  readonly code: Code;
  readonly headers: Headers;

  constructor(status: number, code: Code, message: string, headers: Headers = {}, cause?: unknown) {
    super(escapeControls(message), cause === undefined ? {} : { cause });
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  body(): string {
    return JSON.stringify({ errors: [{ code: this.code, message: this.message }] });
  }
}

/** Goes with every 401 (RFC 9110 section 11.6.1). */
export const CHALLENGE: Headers = { "www-authenticate": 'Basic realm="waybill"' };

export const nameUnknown = (name: string): Problem => new Problem(404, "NAME_UNKNOWN", `no repository ${name}`);

export const manifestUnknown = (reference: string): Problem =>
  new Problem(404, "MANIFEST_UNKNOWN", `no manifest ${reference}`);

export const blobUnknown = (digest: string): Problem => new Problem(404, "BLOB_UNKNOWN", `no blob ${digest}`);

export const digestInvalid = (message: string): Problem => new Problem(400, "DIGEST_INVALID", message);

export const manifestInvalid = (message: string): Problem => new Problem(400, "MANIFEST_INVALID", message);

/** @param allow the methods that would do, for the header that RFC 9110 section 15.5.6 asks for */
export const methodNotAllowed = (allow: string): Problem =>
  new Problem(405, "UNSUPPORTED", "this can't be done here", { allow });

/** 404 is for what isn't there; this is for what can't be asked, so that clients go to the next place. */
export const unavailable = (status: 502 | 503, message: string, headers: Headers = {}, cause?: unknown): Problem =>
  new Problem(status, "UNAVAILABLE", message, headers, cause);
