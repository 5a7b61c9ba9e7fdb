export { Authority, type Identity } from "./authority.ts";
export { type BuiltImage, builtImage } from "./built-image.ts";
export { Container, type ContainerOptions } from "./container.ts";
export { type GitRepository, type RunningGitServer, startGitServer } from "./git-server.ts";
export { freePort } from "./free-port.ts";
export { type Shell, shellIn } from "./shell.ts";
export { type RunningRegistry, startRegistry } from "./registry.ts";
export { type Kubernetes, type KubernetesNeeds, startKubernetes } from "./kubernetes.ts";
export { until } from "./until.ts";
