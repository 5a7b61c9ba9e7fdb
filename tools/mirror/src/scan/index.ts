export { namesImages, scanText } from "./file.ts";
export { type Place } from "./place.ts";
export { type Scanned, scanFolder } from "./scan.ts";
