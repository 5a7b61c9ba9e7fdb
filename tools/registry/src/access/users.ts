// Who is asking: by name and password (htpasswd), or with a token. Both by HTTP Basic, which all clients speak; a token also as
// Bearer. What was found right is remembered for a while, as bcrypt is slow by design.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import bcrypt from "bcryptjs";
import { WaybillError } from "@waybill/oci/error";

export interface User {
  name: string;
}

const REMEMBER_MS = 5 * 60_000;
const MOST_REMEMBERED = 1000;
/** A hash that no password has: a name that isn't there takes as long as a wrong password. */
const NOBODY = "$2b$10$abcdefghijklmnopqrstuuVZBQNto5ziqc9N6P4U0Y0PZQTDoVQKS";

export class Users {
  readonly #passwords: ReadonlyMap<string, string>;
  readonly #tokens: ReadonlyMap<string, string>;
  readonly #salt = randomBytes(16);
  readonly #right = new Map<string, { user: User; until: number }>();

  private constructor(passwords: ReadonlyMap<string, string>, tokens: ReadonlyMap<string, string>) {
    this.#passwords = passwords;
    this.#tokens = tokens;
  }

  /**
   * @param files htpasswd: lines "name:bcrypt", as `htpasswd -B` writes; tokens: lines "name:sha256 of the token in hex"
   * @throws {WaybillError} a file that can't be read, or a line that is neither
   */
  static async load(files: { htpasswd?: string | undefined; tokens?: string | undefined }): Promise<Users> {
    const bcrypted = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;
    const passwords = await readLines(files.htpasswd, bcrypted, "make it with `htpasswd -B`");
    const tokens = await readLines(files.tokens, /^[0-9a-f]{64}$/, "write name:sha256, the token's in hex");
    return new Users(passwords, tokens);
  }

  get any(): boolean {
    return this.#passwords.size + this.#tokens.size > 0;
  }

  /** @returns undefined for who says nothing; "wrong" for who says something that isn't so */
  async identify(authorization: string | undefined): Promise<User | "wrong" | undefined> {
    const [, scheme = "", value = ""] = /^(\w+) +(\S+)$/.exec(authorization ?? "") ?? [];
    if (scheme.toLowerCase() === "bearer") return this.#ofToken(value) ?? "wrong";
    if (scheme.toLowerCase() !== "basic") return authorization === undefined ? undefined : "wrong";
    const pair = Buffer.from(value, "base64").toString("utf8");
    const colon = pair.indexOf(":");
    // podman without credentials sends an empty pair where it was asked for one.
    if (pair === ":" || colon < 0) return pair === ":" ? undefined : "wrong";
    return (await this.#ofPair(pair.slice(0, colon), pair.slice(colon + 1))) ?? "wrong";
  }

  async #ofPair(name: string, password: string): Promise<User | undefined> {
    const byToken = this.#ofToken(password);
    if (byToken) return byToken;
    const key = createHash("sha256").update(this.#salt).update(`${name}:${password}`).digest("hex");
    const known = this.#right.get(key);
    if (known && known.until > Date.now()) return known.user;
    if (!(await bcrypt.compare(password, this.#passwords.get(name) ?? NOBODY)) || !this.#passwords.has(name))
      return undefined;
    if (this.#right.size >= MOST_REMEMBERED) this.#right.clear();
    this.#right.set(key, { user: { name }, until: Date.now() + REMEMBER_MS });
    return { name };
  }

  #ofToken(token: string): User | undefined {
    const hash = createHash("sha256").update(token).digest();
    for (const [name, hex] of this.#tokens) if (timingSafeEqual(hash, Buffer.from(hex, "hex"))) return { name };
    return undefined;
  }
}

async function readLines(file: string | undefined, value: RegExp, mend: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  if (file === undefined) return found;
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new WaybillError(`the users can't be read (${cause.code})`, { where: file, cause });
  });
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    // The line holds a secret's hash, so it is not shown.
    if (colon < 1 || !value.test(line.slice(colon + 1)))
      throw new WaybillError("not a user's line", { where: `${file}:${index + 1}`, mend });
    found.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return found;
}
