// Contestants take turns (A B A B …), so that what else the machine does hits all of them, and the median speaks for each.

/** One turn of one contestant. Only what it does in `run` counts; `prepare` is for what must be new each time. */
export interface Contestant {
  prepare?: (turn: number) => Promise<void>;
  run: () => Promise<unknown>;
}

/** One that has used this many seconds in two turns or more sits out the rest: its median won't change the result. */
const ENOUGH_S = 60;

/** Seconds for each contestant, by its name: the median of `runs` turns, after one turn that doesn't count. */
export async function takeTurns<Name extends string>(
  contestants: Record<Name, Contestant>,
  runs: number,
): Promise<Record<Name, number>> {
  const names = Object.keys(contestants) as Name[];
  const seconds = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let turn = 0; turn <= runs; turn += 1) {
    for (const name of names.filter((each) => !hadEnough(seconds[each]))) {
      const took = await timed(contestants[name], turn);
      if (turn > 0) seconds[name].push(took);
      process.stderr.write(`bench: ${turn === 0 ? "warm-up" : `${turn}/${runs}`} ${name} ${took.toFixed(2)} s\n`);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(seconds[name])])) as Record<Name, number>;
}

const hadEnough = (took: readonly number[]): boolean =>
  took.length >= 2 && took.reduce((sum, each) => sum + each, 0) > ENOUGH_S;

/** Seconds of one turn, for what is too dear to repeat. */
export async function timedOnce(name: string, contestant: Contestant): Promise<number> {
  const took = await timed(contestant, 0);
  process.stderr.write(`bench: once ${name} ${took.toFixed(2)} s\n`);
  return took;
}

async function timed({ prepare, run }: Contestant, turn: number): Promise<number> {
  await prepare?.(turn);
  const started = performance.now();
  await run();
  return (performance.now() - started) / 1000;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
