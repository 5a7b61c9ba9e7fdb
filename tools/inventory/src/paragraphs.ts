// Paragraphs of "Name: value" lines, as dpkg (Debian policy, 5.1) and Python's METADATA (RFC 822 headers) have them.

/** The fields of each paragraph, their names in lower case. Of a folded field the first line counts: the rest is prose. */
export function parseParagraphs(text: string): Map<string, string>[] {
  return text
    .split(/\r?\n\s*\r?\n/)
    .map(parseFields)
    .filter((fields) => fields.size > 0);
}

function parseFields(paragraph: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of paragraph.split(/\r?\n/)) {
    const [, name, value] = /^([A-Za-z0-9][\w-]*):\s*(.*)$/.exec(line) ?? [];
    // The first wins: a METADATA repeats Classifier and its like.
    if (name !== undefined && !fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), value as string);
  }
  return fields;
}
