// Credential helpers: programs named docker-credential-<name> that keep secrets in a keychain. `get` reads the registry on stdin
// and answers with JSON (docker/docker-credential-helpers, "Development").

import { z } from "zod";
import { check, parseJson } from "../document.ts";
import { WaybillError } from "../error.ts";
import { run } from "../run.ts";
import type { Credentials } from "./credentials.ts";

const answerSchema = z.object({ Username: z.string(), Secret: z.string() });
/** The user name that marks the secret as an identity token. */
const TOKEN_USER = "<token>";
const TIMEOUT_MS = 30_000;

/** What a helper keeps for a registry; `undefined` where it keeps nothing. */
export async function askHelper(
  name: string,
  registry: string,
  env: Record<string, string | undefined>,
): Promise<Credentials | undefined> {
  // The name comes from a file: it must stay a name, not become a path.
  if (!/^[\w.-]+$/.test(name)) throw new WaybillError(`"${name}" is not the name of a credential helper`);
  const program = `docker-credential-${name}`;
  const { exitCode, stdout } = await run(program, ["get"], { input: registry, env, timeoutMs: TIMEOUT_MS });
  if (exitCode === 0) return fromAnswer(check(answerSchema, parseJson(stdout, program), program));
  if (/credentials not found/i.test(stdout)) return undefined;
  // What it printed may hold the secret, so it is not shown.
  throw new WaybillError(`${program} failed with exit code ${exitCode}`, {
    where: registry,
    mend: `run \`${program} list\` to see why`,
  });
}

function fromAnswer({ Username, Secret }: z.infer<typeof answerSchema>): Credentials {
  if (Username === TOKEN_USER) return { kind: "identity", token: Secret };
  return { kind: "basic", username: Username, password: Secret };
}
