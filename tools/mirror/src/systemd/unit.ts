// Unit files as text: sections of KEY=VALUE, and words that survive systemd's own quoting and specifiers (systemd.syntax(7)).

export type Section = readonly (readonly [key: string, value: string] | string)[];

/** @param sections by name; a string among the lines is a comment */
export function unitOf(sections: Readonly<Record<string, Section>>): string {
  const texts = Object.entries(sections).map(([name, lines]) => `[${name}]\n${lines.map(lineOf).join("\n")}\n`);
  return texts.join("\n");
}

const lineOf = (line: Section[number]): string => (typeof line === "string" ? `# ${line}` : `${line[0]}=${line[1]}`);

/** A command line: each argument stays one, whatever is in it. */
export const commandLine = (argv: readonly string[]): string =>
  argv.map((each) => word(each).replaceAll("$", "$$$$")).join(" ");

/** A value in which a blank, a quote or a percent sign means itself. */
export function word(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%");
  return /[\s"'\\;]/.test(text) ? `"${escaped}"` : escaped;
}
