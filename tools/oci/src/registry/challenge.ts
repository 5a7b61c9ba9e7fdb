// What a registry asks for when it answers 401 (RFC 9110 section 11.6.1; parameters of Bearer: RFC 6750 section 3 and the
// distribution project's token specification).

export interface Challenge {
  /** In lower case: "basic", "bearer". */
  scheme: string;
  /** Names in lower case. */
  parameters: Record<string, string>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const quoted = '"(?:[^"\\\\]|\\\\.)*"';
/** A scheme, or a parameter of the scheme before it. */
const ITEM = new RegExp(`(?<name>${token})(?:\\s*=\\s*(?<value>${quoted}|${token}))?`, "g");

/** Reads a WWW-Authenticate header, which may hold several challenges. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  for (const { groups } of header.matchAll(ITEM)) {
    const name = groups?.name?.toLowerCase() ?? "";
    const value = groups?.value;
    if (value === undefined) challenges.push({ scheme: name, parameters: {} });
    else Object.assign(challenges.at(-1)?.parameters ?? {}, { [name]: unquote(value) });
  }
  return challenges;
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
}
