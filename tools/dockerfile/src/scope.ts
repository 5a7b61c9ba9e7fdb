// Which value a variable has at a place of a Dockerfile. ARGs before the first FROM are for FROM lines alone, and give a stage's
// bare `ARG NAME` its default; a stage that stands on another inherits its ARGs and ENVs; ENV wins over ARG.

import { expand } from "./expand.ts";
import type { Expansion, Lookup } from "./expand.ts";
import type { ArgDeclaration, BuildOptions, Dockerfile, Instruction } from "./dockerfile.ts";
import { assignments, environmentOf } from "./words.ts";

/** Build args that need no ARG line: https://docs.docker.com/reference/dockerfile/#predefined-args */
const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];
export const PREDEFINED_ARGS: ReadonlySet<string> = new Set([
  ...PROXIES,
  ...PROXIES.map((name) => name.toLowerCase()),
  "SOURCE_DATE_EPOCH",
  ...["TARGET", "BUILD"].flatMap((side) => ["PLATFORM", "OS", "ARCH", "VARIANT"].map((part) => side + part)),
  "TARGETSTAGE",
]);

/** The values FROM lines see. */
export function globalScope(
  args: readonly ArgDeclaration[],
  escape: string,
  options: BuildOptions,
): Map<string, string> {
  const scope = new Map<string, string>();
  for (const [name, value] of Object.entries(platformArgs(options))) {
    scope.set(name, options.buildArgs?.[name] ?? value);
  }
  const lookup: Lookup = (name) => scope.get(name);
  for (const arg of args) {
    const value =
      options.buildArgs?.[arg.name] ?? (arg.value === undefined ? undefined : expand(arg.value, lookup, escape).value);
    if (value !== undefined) scope.set(arg.name, value);
  }
  return scope;
}

function platformArgs({ platform = "linux/amd64", buildPlatform = platform, target }: BuildOptions) {
  return { ...sideOf("TARGET", platform), ...sideOf("BUILD", buildPlatform), TARGETSTAGE: target ?? "default" };
}

function sideOf(side: "TARGET" | "BUILD", platform: string): Record<string, string> {
  const [os = "", arch = "", variant = ""] = platform.split("/");
  return { [`${side}PLATFORM`]: platform, [`${side}OS`]: os, [`${side}ARCH`]: arch, [`${side}VARIANT`]: variant };
}

/** The variables of one stage as its instructions go by. */
export class StageScope {
  readonly #dockerfile: Dockerfile;
  readonly #options: BuildOptions;
  readonly #global: ReadonlyMap<string, string>;
  readonly args: Map<string, string | undefined>;
  readonly env: Map<string, string>;

  /** @param parent the scope at the end of the stage this one stands on */
  constructor(dockerfile: Dockerfile, options: BuildOptions, global: ReadonlyMap<string, string>, parent?: StageScope) {
    this.#dockerfile = dockerfile;
    this.#options = options;
    this.#global = global;
    this.args = new Map(parent?.args);
    this.env = new Map(parent?.env);
  }

  readonly lookup: Lookup = (name) => this.env.get(name) ?? this.args.get(name);

  expand(word: string): Expansion {
    return expand(word, this.lookup, this.#dockerfile.escape);
  }

  /** Takes in what an ARG or ENV instruction sets; others set nothing. */
  pass({ keyword, text }: Instruction): void {
    const { escape } = this.#dockerfile;
    if (keyword === "ARG") for (const { name, value } of assignments(text, escape)) this.#declare(name, value);
    if (keyword !== "ENV") return;
    // All pairs of one ENV see the values from before it.
    const set = environmentOf(text, escape).map(({ name, value = "" }) => [name, this.expand(value).value] as const);
    for (const [name, value] of set) this.env.set(name, value);
  }

  #declare(name: string, value: string | undefined): void {
    const given = this.#options.buildArgs?.[name];
    const inherited = this.#global.get(name);
    this.args.set(name, given ?? (value === undefined ? inherited : this.expand(value).value));
  }
}
