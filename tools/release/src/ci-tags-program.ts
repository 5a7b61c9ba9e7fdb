// Prints the tags of this CI run as a JSON list, on its last line.

import { getMetadata } from "@nx-tools/container-metadata";

const RULES = ["type=sha,format=long", "type=raw,value=latest,enable={{is_default_branch}}", "type=ref,event=pr"];

const metadata = await getMetadata({ images: ["image"], tags: RULES, flavor: ["latest=false"], quiet: true });
console.log(`\n${JSON.stringify(metadata.getTags().map((tag) => tag.slice(tag.lastIndexOf(":") + 1)))}`);
