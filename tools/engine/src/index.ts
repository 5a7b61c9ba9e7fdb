export type {
  Availability,
  BuildRequest,
  ContainerCommand,
  ContainerRequest,
  ContextSource,
  Engine,
  EngineName,
} from "./engine.ts";
export { ENGINES, availability, chooseEngine } from "./choose.ts";
export { scratchLayout } from "./scratch-layout.ts";
export { installEmbedded } from "./embedded/install.ts";
export { engineAnswers, startEmbedded, stopEmbedded } from "./embedded/lifecycle.ts";
export { pruneEmbedded } from "./embedded/prune.ts";
export { isInstalled as embeddedIsInstalled, embeddedPaths } from "./embedded/paths.ts";
export { releaseBuildah } from "./buildah-stop.ts";
export { cacheHome, engineFolder, storeFolder } from "./home.ts";
export { emulatedPlatforms } from "./emulation.ts";
export { hostCa } from "./host-ca.ts";
export { hostPlatform } from "./host-platform.ts";
export type { LayerCache } from "./layer-cache.ts";
export { loadImage } from "./load.ts";
export { withLock } from "./lock-file.ts";
export { onPath } from "./on-path.ts";
