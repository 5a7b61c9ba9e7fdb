// One line changed in one image: what Waybill costs over the engine's own build of the same change.

import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findImage } from "@waybill/image";
import { type Checkout, checkout } from "./checkout.ts";
import { buildxBuild } from "./engine.ts";
import { takeTurns } from "./measure.ts";
import type { Options } from "./options.ts";
import { type Row, notSlower } from "./row.ts";

const BENCH = "one-line change";
const MARK = 1.15;
const SLACK_S = 0.5;

/** An image whose build itself costs next to nothing: what is left is us. */
const TINY = {
  Dockerfile: "ARG STATIC=waybill/static\nFROM ${STATIC}\nCOPY src/ /srv/\n",
  ".dockerignore": "*\n!src\n",
  "project.json": JSON.stringify({ name: "bench-tiny" }),
  "package.json": JSON.stringify({ name: "@waybill/bench-tiny", version: "0.1.0", private: true }),
  "src/line.txt": "line 0\n",
};

export async function oneLineChange(options: Options): Promise<Row[]> {
  const copy = await checkout();
  const tiny = join(copy.root, "images", "bench-tiny");
  for (const [file, content] of Object.entries(TINY)) {
    mkdirSync(join(tiny, file, ".."), { recursive: true });
    writeFileSync(join(tiny, file), content);
  }
  await copy.nx(["run-many", "-t", "docker-build", "-p", "api,oidc-proxy,bench-tiny"]);
  process.chdir(copy.root);
  return [
    // A statement with an effect, so that no bundler drops it and the layer is new.
    await changed(copy, "api", "src/main.ts", (mark) => `globalThis.process.title = "${mark}";\n`, options),
    await changed(copy, "oidc-proxy", "src/cmd/oidc-proxy/main.go", goLine, options),
    await changed(copy, "bench-tiny", "src/line.txt", (mark) => `line ${mark}\n`, options),
  ];
}

/** What the compiler can't leave out either. */
const goLine = (mark: string): string =>
  `\nvar mark = "${mark}"\n\nfunc init() {\n\tif mark == "" {\n\t\tpanic(mark)\n\t}\n}\n`;

async function changed(
  copy: Checkout,
  name: string,
  file: string,
  line: (mark: string) => string,
  { runs }: Options,
): Promise<Row> {
  const image = await findImage(name, copy.root);
  const source = join(image.folder, file);
  if (!existsSync(source)) throw new Error(`${source} is not there to be changed`);
  const original = readFileSync(source);
  const edit = async (): Promise<void> => {
    writeFileSync(source, original);
    appendFileSync(source, line(`bench-${Date.now()}`));
  };
  const took = await takeTurns(
    {
      nx: { prepare: edit, run: () => copy.nx(["run", `${name}:docker-build`]) },
      buildx: { prepare: edit, run: () => buildxBuild(image, join(copy.outputs, "changed", name)) },
    },
    runs,
  );
  writeFileSync(source, original);
  const what = `./nx run ${name}:docker-build, the engine's own docker buildx build; both to an OCI layout`;
  return notSlower({ bench: BENCH, what, ours: took.nx, theirs: took.buildx }, MARK, SLACK_S);
}
