export { type SystemdFiles, systemdFiles } from "./plan.ts";
