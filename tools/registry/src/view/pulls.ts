// The last pulls, for the page. In memory: it is a look at what goes on, not a record.

export interface Pull {
  at: string;
  /** "ghcr.io/acme/api:1.0" */
  image: string;
  from: string;
  client: string;
}

const KEPT = 20;

export class Pulls {
  #pulls: Pull[] = [];

  add(pull: Pull): void {
    this.#pulls.push(pull);
    if (this.#pulls.length > KEPT * 2) this.#pulls = this.#pulls.slice(-KEPT);
  }

  newest(): Pull[] {
    return this.#pulls.slice(-KEPT).toReversed();
  }
}
