// Who may do what. The first rule for a repository decides. Without rules anyone may read, and users may write; without users too,
// who reaches us may write if only this machine can reach us, and nobody otherwise.

import { isLoopback } from "../config.ts";
import type { AccessRule, Config } from "../config.ts";
import { matches } from "../glob.ts";
import { formatName } from "../name.ts";
import type { Name } from "../name.ts";
import { Users } from "./users.ts";
import type { User } from "./users.ts";

export class Access {
  readonly users: Users;
  readonly #rules: readonly AccessRule[];
  readonly #otherwise: AccessRule;

  private constructor(users: Users, rules: readonly AccessRule[], openToWrites: boolean) {
    this.users = users;
    this.#rules = rules;
    this.#otherwise = { repositories: "**", read: ["anyone"], write: [openToWrites ? "anyone" : "users"] };
  }

  /** @throws {WaybillError} what is wrong with the users' files */
  static async load({ access, host }: Pick<Config, "access" | "host">): Promise<Access> {
    const users = await Users.load(access);
    return new Access(users, access.rules, !users.any && isLoopback(host));
  }

  mayRead(user: User | undefined, name: Name): boolean {
    return allows(this.#ruleOf(name).read, user);
  }

  mayWrite(user: User | undefined, name: Name): boolean {
    return allows(this.#ruleOf(name).write, user);
  }

  #ruleOf(name: Name): AccessRule {
    const text = formatName(name);
    return this.#rules.find(({ repositories }) => matches(repositories, text)) ?? this.#otherwise;
  }
}

function allows(who: readonly string[], user: User | undefined): boolean {
  return who.includes("anyone") || (user !== undefined && (who.includes("users") || who.includes(user.name)));
}
