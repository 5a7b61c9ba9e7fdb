// The graph of many images: the time that the plugin itself adds to a cold `nx`, and whether it grows as the fleet does.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateImages } from "./generated-images.ts";
import { median } from "./measure.ts";
import type { Options } from "./options.ts";
import type { Row } from "./row.ts";
import { sh } from "./shell.ts";

const BENCH = "graph of 500 images";
const LIMIT_S = 1;
const GROWTH_MARK = 2.3;

/** Seconds. */
export interface GraphTimes {
  load: number;
  nodes: number;
  edges: number;
  found: { projects: number; edges: number };
}

export async function graph({ runs }: Options): Promise<Row[]> {
  const small = await measured(500);
  const large = await measured(1000);
  const times = { 500: [] as Sample[], 1000: [] as Sample[] };
  for (let turn = 0; turn < runs; turn += 1) {
    times[500].push(await small());
    times[1000].push(await large());
  }
  const of = (samples: Sample[], pick: (sample: Sample) => number): number => median(samples.map(pick));
  const own = (sample: Sample): number => sample.nodes + sample.edges;
  const [ours, double] = [of(times[500], own), of(times[1000], own)];
  const whole = of(times[500], ({ wall }) => wall);
  const parts = `createNodes ${of(times[500], ({ nodes }) => nodes).toFixed(2)} s, edges ${of(times[500], ({ edges }) => edges).toFixed(2)} s`;
  return [
    {
      bench: BENCH,
      what: `${parts}, cold process; theirs: the limit (with the process and its imports ${whole.toFixed(2)} s)`,
      ours,
      theirs: LIMIT_S,
      ratio: ours / LIMIT_S,
      mark: `< ${LIMIT_S} s`,
      result: ours < LIMIT_S ? "pass" : "FAIL",
    },
    {
      bench: BENCH,
      what: "1000 images against 500",
      ours: double,
      theirs: ours,
      ratio: double / ours,
      mark: `<= ${GROWTH_MARK} x`,
      result: double / ours <= GROWTH_MARK ? "pass" : "FAIL",
    },
  ];
}

/** With the wall of the whole process, in seconds. */
type Sample = GraphTimes & { wall: number };

async function measured(count: number): Promise<() => Promise<Sample>> {
  const folder = mkdtempSync(join(tmpdir(), `waybill-bench-graph-${count}-`));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await generateImages(folder, count);
  const script = join(import.meta.dirname, "graph-process.ts");
  return async () => {
    const started = performance.now();
    const { stdout } = await sh`${process.execPath} ${script} ${folder}`;
    const sample = { ...(JSON.parse(stdout) as GraphTimes), wall: (performance.now() - started) / 1000 };
    const { projects, edges } = sample.found;
    if (projects !== count) throw new Error(`${projects} projects of ${count} images`);
    const own = (sample.nodes + sample.edges).toFixed(2);
    process.stderr.write(`bench: ${count} images, ${edges} edges: ${own} s, process ${sample.wall.toFixed(2)} s\n`);
    return sample;
  };
}
