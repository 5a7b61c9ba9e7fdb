// The log: a line of JSON an event, for machines to read and for people to grep. Nothing in it is secret: queries are redacted.

type Fields = Record<string, string | number | boolean | undefined>;
type Level = "info" | "warn" | "error";

export interface Log {
  (level: Level, event: string, fields?: Fields): void;
}

/** @param write takes one line */
export function makeLog(write: (line: string) => void): Log {
  return (level, event, fields = {}) =>
    write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`);
}

export const silent: Log = () => {};
