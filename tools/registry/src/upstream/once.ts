// One run for all who ask for the same at the same time.

export class Once<T> {
  readonly #running = new Map<string, Promise<T>>();

  async run(key: string, action: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key);
    if (running) return await running;
    const begun = action().finally(() => this.#running.delete(key));
    this.#running.set(key, begun);
    return await begun;
  }
}
