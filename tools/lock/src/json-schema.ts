// Writes schema/image.lock.schema.json from the code: node tools/lock/src/json-schema.ts. A test fails when they differ.

import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "@waybill/oci";
import { lockJsonSchema } from "./schema.ts";

export const SCHEMA_FILE = fileURLToPath(new URL("../schema/image.lock.schema.json", import.meta.url));

if (import.meta.main) await writeFileAtomic(SCHEMA_FILE, `${JSON.stringify(lockJsonSchema(), null, 2)}\n`);
