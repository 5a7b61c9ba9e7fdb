// Pagination (distribution-spec v1.1, "Listing Tags"): Link: </v2/…?n=…&last=…>; rel="next", after RFC 8288.

/** The target of the link to the next page, as it stands in the header. */
export function nextLink(header: string | null): string | undefined {
  return /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(header ?? "")?.[1];
}
