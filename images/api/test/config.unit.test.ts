import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BadConfig, readConfig } from "../src/config.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

function problemsOf(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(BadConfig);
    return (error as BadConfig).message;
  }
  throw new Error("no problem was found");
}

describe("the configuration", () => {
  it("needs nothing, and then takes PGlite in a folder", () => {
    expect(readConfig({})).toMatchObject({
      port: 8080,
      database: { kind: "pglite", dataDir: "data" },
      apiToken: undefined,
    });
  });

  it("takes an empty variable as one that isn't set", () => {
    expect(readConfig({ DATABASE_URL: "", API_TOKEN: "", PORT: "" })).toEqual(readConfig({}));
  });

  it("tells all problems at once, and no secret", () => {
    const message = problemsOf({
      PORT: "70000",
      DATABASE_URL: "mysql://root:hunter2@db/x",
      AUTO_MIGRATE: "maybe",
      API_TOKEN: "hunter2",
      API_TOKEN_FILE: "/no/such/file",
      LOG_LEVEL: "loud",
    });
    const named = ["PORT", "DATABASE_URL", "AUTO_MIGRATE", "API_TOKEN", "API_TOKEN_FILE", "LOG_LEVEL"];
    for (const name of named) expect(message).toMatch(new RegExp(`^  ${name}: `, "m"));
    expect(message).not.toContain("hunter2");
  });

  it("reads secrets from files, without the newline at the end", async () => {
    const file = join(await temporaryFolder(), "token");
    await writeFile(file, "a-token-of-some-length\n");
    expect(readConfig({ API_TOKEN_FILE: file }).apiToken).toBe("a-token-of-some-length");
  });

  it("doesn't take an empty token file for no token", async () => {
    const file = join(await temporaryFolder(), "token");
    await writeFile(file, "\n");
    expect(problemsOf({ API_TOKEN_FILE: file })).toContain("API_TOKEN: at least 16 characters");
  });
});
