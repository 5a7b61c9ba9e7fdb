// Figures for Prometheus (text format 0.0.4): what was served, from where, and how the store and the upstreams are.

type Labels = Record<string, string>;
interface Series {
  type: "counter" | "gauge" | "histogram";
  help: string;
  values: Map<string, number>;
}

/** Upper bounds in seconds: a manifest takes milliseconds, a layer seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export class Metrics {
  readonly #series = new Map<string, Series>();

  /** Declares a figure, so that it is there (at nothing) before it first counts. */
  declare(name: string, type: Series["type"], help: string): void {
    if (!this.#series.has(name)) this.#series.set(name, { type, help, values: new Map() });
  }

  add(name: string, labels: Labels = {}, value = 1): void {
    const { values } = this.#of(name);
    const key = keyOf(labels);
    values.set(key, (values.get(key) ?? 0) + value);
  }

  set(name: string, value: number, labels: Labels = {}): void {
    this.#of(name).values.set(keyOf(labels), value);
  }

  /** @param seconds of one event */
  observe(name: string, seconds: number, labels: Labels = {}): void {
    const { values } = this.#of(name);
    const bump = (suffix: string, all: Labels, by: number): void => {
      const key = suffix + keyOf(all);
      values.set(key, (values.get(key) ?? 0) + by);
    };
    for (const bound of BUCKETS) if (seconds <= bound) bump("_bucket", { ...labels, le: String(bound) }, 1);
    bump("_bucket", { ...labels, le: "+Inf" }, 1);
    bump("_sum", labels, seconds);
    bump("_count", labels, 1);
  }

  /** The sum over all labels, or over those that have `some`. */
  total(name: string, some: Labels = {}): number {
    const wanted = Object.entries(some).map(([label, value]) => `${label}="${escaped(value)}"`);
    let sum = 0;
    for (const [key, value] of this.#series.get(name)?.values ?? [])
      if (wanted.every((each) => key.includes(each))) sum += value;
    return sum;
  }

  text(): string {
    const lines: string[] = [];
    for (const [name, { type, help, values }] of this.#series) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const [key, value] of values) lines.push(`${name}${key} ${value}`);
      if (values.size === 0 && type !== "histogram") lines.push(`${name} 0`);
    }
    return `${lines.join("\n")}\n`;
  }

  #of(name: string): Series {
    const series = this.#series.get(name);
    if (series === undefined) throw new Error(`no figure ${name} was declared`);
    return series;
  }
}

function keyOf(labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));
}
