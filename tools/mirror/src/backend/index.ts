export { type Backend, type Located, type Place, BACKENDS, locate, settingsFileOf } from "./backend.ts";
export { mirrorFolder } from "./folder.ts";
export { clientOf, findMirror, holdsRegistry, readMirror } from "./mirror.ts";
export { forgetSettings as forgetBackend } from "./settings.ts";
export { setUpBackend } from "./setup.ts";
export { USUAL_UPSTREAMS } from "./upstreams.ts";
