export { type Rewritten, rewriteText } from "./file.ts";
export { type Rewrite, fromMirror, mirrorAt, toMirror } from "./reference.ts";
