// An advisory in the OSV format (https://ossf.github.io/osv-schema/, 1.7), as far as scanning needs it.

import { z } from "zod";

const severity = z.looseObject({ type: z.string(), score: z.string() });

const event = z.looseObject({
  introduced: z.string().optional(),
  fixed: z.string().optional(),
  last_affected: z.string().optional(),
  limit: z.string().optional(),
});

const range = z.looseObject({ type: z.string(), events: z.array(event).default([]) });

const affected = z.looseObject({
  /** Absent where only commits are told of. */
  package: z.looseObject({ ecosystem: z.string(), name: z.string() }).optional(),
  ranges: z.array(range).nullish(),
  versions: z.array(z.string()).nullish(),
  severity: z.array(severity).nullish(),
  ecosystem_specific: z.looseObject({ urgency: z.string().optional().catch(undefined) }).nullish(),
});

export const advisory = z.looseObject({
  id: z.string().min(1),
  modified: z.string().default(""),
  withdrawn: z.string().nullish(),
  aliases: z.array(z.string()).nullish(),
  upstream: z.array(z.string()).nullish(),
  summary: z.string().nullish(),
  details: z.string().nullish(),
  severity: z.array(severity).nullish(),
  affected: z.array(affected).nullish(),
  database_specific: z.looseObject({ severity: z.string().optional().catch(undefined) }).nullish(),
});

export type Advisory = z.output<typeof advisory>;
export type Affected = z.output<typeof affected>;
export type Range = z.output<typeof range>;
export type Event = z.output<typeof event>;
