// Writes the JSON Schema of image.json, for editors and for those who read records without our code. Run it after a change to
// record.ts: `npx node tools/oci/src/schema.ts`; a test fails while the file is behind.

import { z } from "zod";
import { writeFileAtomic } from "./atomic.ts";
import { recordSchema } from "./record.ts";

export const RECORD_SCHEMA_FILE = new URL("../schema/image.schema.json", import.meta.url);

export function recordJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(recordSchema), undefined, 2)}\n`;
}

if (import.meta.main) await writeFileAtomic(RECORD_SCHEMA_FILE.pathname, recordJsonSchema());
