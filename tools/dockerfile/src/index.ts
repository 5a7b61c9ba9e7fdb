// What a Dockerfile says, and what of the build context it can see. Knows of no engine and no registry; Nx appears only in the
// form of `contextInputs`.

export { consumedArgs, declaredArgs } from "./consumed-args.ts";
export type { ConsumedArg } from "./consumed-args.ts";
export { contextFiles, readIgnore } from "./context-files.ts";
export type { ContextFile } from "./context-files.ts";
export { contextInputs } from "./context-inputs.ts";
export type { ContextInputs } from "./context-inputs.ts";
export { contextPaths } from "./context-paths.ts";
export type { ArgDeclaration, BuildOptions, Dockerfile, Flag, Heredoc, Instruction, Stage } from "./dockerfile.ts";
export { flagValues } from "./dockerfile.ts";
export { edgesOf } from "./edges.ts";
export type { Edge } from "./edges.ts";
export { finalBase } from "./final-base.ts";
export type { LinkKind } from "./graph.ts";
export { Ignore, parseIgnore } from "./ignore.ts";
export type { IgnorePattern } from "./ignore.ts";
export { matcherOf } from "./ignore-pattern.ts";
export { parseDockerfile, readDockerfile, requireSound } from "./parse.ts";
export { PREDEFINED_ARGS } from "./scope.ts";
export { formOf } from "./words.ts";
