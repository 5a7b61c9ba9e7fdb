export { type Platforms } from "./choose.ts";
export { type Pulled, type PullOptions, type Status, pullAll } from "./pull.ts";
