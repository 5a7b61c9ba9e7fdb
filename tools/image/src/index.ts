// An image of this repo: its folder, what it declares, how it is built, and where its bytes are.

export { type BuildOptions, buildImage, buildStage } from "./build.ts";
export { ensureBytes, hasBytes, recordOfImage, showLayout, store } from "./bytes.ts";
export {
  type Image,
  SCOPE,
  dockerfileText,
  findImage,
  findImages,
  layoutFolder,
  nameOf,
  readDockerfile,
  readableImages,
  readImage,
  recordFile,
  sameName,
} from "./image.ts";
export { cycleOf, ownEdges } from "./cycle.ts";
export { type ImageMetadata, imageMetadata, projectFile } from "./metadata.ts";
export { noShared, parseSharedContext, sharedNames } from "./shared.ts";
export { workspaceRoot } from "./workspace.ts";
export { type ImageEdge, imageEdges } from "./edges.ts";
export { type SourceOverride, assertConsumed, withSource } from "./source.ts";
export { type Inputs, inputsOf, rememberedInputs } from "./inputs.ts";
export { programOf } from "./program.ts";
