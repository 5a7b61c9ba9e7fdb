export { type BuiltImage, builtImage } from "./built-image.ts";
export { Container, type ContainerOptions } from "./container.ts";
export { freePort } from "./free-port.ts";
export { type Shell, shellIn } from "./shell.ts";
export { type RunningRegistry, startRegistry } from "./registry.ts";
