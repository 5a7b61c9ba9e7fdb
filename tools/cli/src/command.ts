// What a command is: its flags, and one call.

import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { WaybillError } from "@waybill/oci/error";

export type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

export interface Command {
  /** One line for `waybill help`. */
  summary: string;
  /** What follows the command's name, such as `<image>`; where it is empty, arguments are refused. */
  usage: string;
  options: ParseArgsOptionsConfig;
  /** Done (0) or findings (1). What can't be done is thrown. */
  run(arguments_: string[], values: Values): Promise<0 | 1>;
}

/** A command whose first argument names one of its own, such as `waybill mirror pull`. Each is imported when it is called. */
export interface Group {
  summary: string;
  actions: Record<string, () => Promise<{ command: Command }>>;
}

export const COMMON: ParseArgsOptionsConfig = {
  json: { type: "boolean" },
  verbose: { type: "boolean" },
  engine: { type: "string" },
  help: { type: "boolean", short: "h" },
};

/** @throws {WaybillError} an unknown flag */
export function parse(command: Command, name: string, args: string[]): { positionals: string[]; values: Values } {
  try {
    const options = { ...COMMON, ...command.options };
    const { positionals, values } = parseArgs({ args, options, allowPositionals: true, allowNegative: true });
    return { positionals, values };
  } catch (error) {
    const what = (error as Error).message.split(". ")[0] as string;
    throw new WaybillError(what, { mend: `npx waybill ${name} --help` });
  }
}

export function text(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** A flag that may come more than once, or with commas. */
export function list(values: Values, name: string): string[] {
  const value = values[name];
  const all = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return all.flatMap((each) => String(each).split(",")).filter((each) => each !== "");
}

/** `KEY=VALUE` flags. @throws {WaybillError} one without "=" */
export function pairs(values: Values, name: string): Record<string, string> {
  const value = values[name];
  const all = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return Object.fromEntries(
    all.map((each) => {
      const at = String(each).indexOf("=");
      if (at < 1) throw new WaybillError(`--${name} ${each} is not KEY=VALUE`);
      return [String(each).slice(0, at), String(each).slice(at + 1)];
    }),
  );
}

/** @throws {WaybillError} missing */
export function only(positionals: string[], what: string): string {
  const [first, ...more] = positionals;
  if (first === undefined) throw new WaybillError(`${what} is missing`);
  if (more.length > 0) throw new WaybillError(`one ${what} at a time, got ${positionals.join(" ")}`);
  return first;
}

/** @throws {WaybillError} an argument that the command has no use for */
export function none(name: string, positionals: string[]): void {
  if (positionals.length === 0) return;
  const mend = `npx waybill ${name} --help`;
  throw new WaybillError(`${name} takes no arguments, got ${positionals.join(" ")}`, { mend });
}
