/** Whether the service can do its work now, in a word that an operator can act on. */
import type { Database } from "../database/database.ts";
import { Unavailable } from "../database/database.ts";
import { MigrationEdited, pendingMigrations } from "../migrations/migrator.ts";

export class Readiness {
  readonly #database: Database;
  #migrated = false;
  #stopping = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** From now on not ready, so that balancers look elsewhere. */
  stop(): void {
    this.#stopping = true;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Undefined when ready, else why not. Schemas only go up, so what was migrated once is only pinged. */
  async problem(): Promise<string | undefined> {
    if (this.#stopping) return "stopping";
    try {
      return this.#migrated ? await this.#ping() : await this.#checkMigrations();
    } catch (error) {
      if (error instanceof Unavailable || error instanceof MigrationEdited) return error.message;
      throw error;
    }
  }

  async #ping(): Promise<undefined> {
    await this.#database.query("SELECT 1");
  }

  async #checkMigrations(): Promise<string | undefined> {
    const pending = await pendingMigrations(this.#database);
    this.#migrated = pending.length === 0;
    if (!this.#migrated)
      return `the database lacks ${pending.length} migration(s): run this image with the argument migrate`;
    return undefined;
  }
}
