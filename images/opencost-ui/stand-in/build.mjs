// build.mjs <basename> <folder>: the page, below the path it is served at.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const [basename = "", folder = "."] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}/index.html`, readFileSync("index.html", "utf8").replaceAll("{BASENAME}", basename));
writeFileSync(`${folder}/basename`, basename);
