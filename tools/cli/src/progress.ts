// What a build shows while it runs: the steps that took time, a line each. The whole log of a step only when it fails.

const STEP = /^#(\d+) (\[.+)$/;
const OUTPUT = /^#(\d+) [\d.]+ (.*)$/;
const DONE = /^#(\d+) DONE ([\d.]+)s$/;
const ERROR = /^#(\d+) ERROR/;
/** Waybill's own lines among the engine's: a package that drifted, a source being fetched, a base being built. */
const OURS = /^(?:drift|source|base): /;
/** Steps below this many seconds are not worth a line. */
const WORTH_A_LINE_S = 1;
const KEEP_LINES = 400;

/** Reads BuildKit's `--progress=plain`. With `verbose`, every line is printed as it comes. */
export class BuildProgress {
  readonly #verbose: boolean;
  readonly #steps = new Map<string, { title: string; lines: string[] }>();

  constructor(verbose: boolean) {
    this.#verbose = verbose;
  }

  readonly onLine = (line: string): void => {
    if (this.#verbose) return void console.log(line);
    const step = STEP.exec(line);
    if (step !== null) this.#steps.set(step[1] as string, { title: step[2] as string, lines: [] });
    const output = OUTPUT.exec(line);
    if (output !== null) this.#keep(output[1] as string, output[2] as string);
    const done = DONE.exec(line);
    if (done !== null) this.#finished(done[1] as string, Number(done[2]));
    const error = ERROR.exec(line);
    if (error !== null) this.#failed(error[1] as string);
    if (OURS.test(line)) console.log(`  ${line}`);
  };

  #keep(id: string, line: string): void {
    const lines = this.#steps.get(id)?.lines;
    lines?.push(line);
    if (lines !== undefined && lines.length > KEEP_LINES) lines.shift();
  }

  #finished(id: string, seconds: number): void {
    const step = this.#steps.get(id);
    if (step === undefined || seconds < WORTH_A_LINE_S || step.title.startsWith("[internal]")) return;
    console.log(`  ${step.title.slice(0, 110)}  ${seconds.toFixed(1)} s`);
  }

  #failed(id: string): void {
    const step = this.#steps.get(id);
    if (step === undefined) return;
    console.log(`  ${step.title}`);
    for (const line of step.lines) console.log(`    ${line}`);
  }
}
