/** An expected failure: its message says what, where and the mend, and needs no stack. Any other Error is a bug. */
export class Failure extends Error {
  override name = "Failure";
  /** 1: could not do it now; 2: can't be done as asked. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
