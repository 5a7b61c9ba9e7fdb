// Imports between tools point one way, and every package is declared by who imports it. A tangle begins with one import.

import { globSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const TOOLS = fileURLToPath(new URL("../..", import.meta.url));

/** Rooms from the top down: what each may import besides itself. */
const MAY: Record<string, readonly string[]> = {
  cli: [
    "bundle",
    "scan",
    "release",
    "chart",
    "format",
    "inventory",
    "nx-plugin",
    "image",
    "lint",
    "testing",
    "mirror",
    "registry",
    "cache",
    "engine",
    "lock",
    "dockerfile",
    "oci",
  ],
  "nx-plugin": ["chart", "format", "image", "lint", "cache", "engine", "lock", "dockerfile", "oci"],
  testing: ["image", "engine", "lock", "dockerfile", "oci"],
  lint: ["image", "engine", "lock", "dockerfile", "oci"],
  image: ["mirror", "cache", "engine", "lock", "dockerfile", "oci"],
  bundle: ["oci"],
  cache: ["oci"],
  mirror: ["registry", "chart", "dockerfile", "oci"],
  registry: ["oci"],
  engine: ["lock", "dockerfile", "oci"],
  lock: ["dockerfile", "oci"],
  dockerfile: ["oci"],
  scan: ["release", "inventory", "format", "image", "lock", "oci"],
  release: ["chart", "image", "lock", "oci"],
  chart: ["oci"],
  inventory: ["format", "oci"],
  oci: [],
  format: [],
};

/** What tests may use without declaring it: what the repo's root has for all of them. */
const FOR_TESTS = ["@waybill/testing", ...Object.keys(packageFile("..").devDependencies ?? {})];

interface Import {
  file: string;
  tool: string;
  /** Of the tool's tests, which may use more than its source; all of `testing` is for tests. */
  inTest: boolean;
  /** The tool that is imported, or the package. */
  target: string;
}

const files = globSync("*/{src,test}/**/*.ts", { cwd: TOOLS });
const imports = files.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const text = readFileSync(join(TOOLS, file), "utf8");
  const [tool = "", room] = file.split("/");
  const from = Array.from(
    text.matchAll(/^(?:import|export)\b[^;"']*?\bfrom "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gm),
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  );
  return from
    .filter((name) => !isBuiltin(name))
    .map((name) => ({ file, tool, inTest: room === "test" || tool === "testing", target: targetOf(file, name) }));
}

/** A relative import is of the tool it ends up in. */
function targetOf(file: string, name: string): string {
  if (name.startsWith(".")) return `@waybill/${normalize(join(dirname(file), name)).split("/")[0]}`;
  return name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
}

const toolIn = ({ target }: Import): string | undefined =>
  target.startsWith("@waybill/") ? target.slice("@waybill/".length) : undefined;

function packageFile(folder: string): Partial<Record<"dependencies" | "devDependencies", Record<string, string>>> {
  return JSON.parse(readFileSync(join(TOOLS, folder, "package.json"), "utf8"));
}

const declared = (tool: string): string[] => [...Object.keys(packageFile(tool).dependencies ?? {}), `@waybill/${tool}`];

describe("tools", () => {
  test("are looked at, all of them", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(imports.length).toBeGreaterThan(200);
    expect(new Set(files.map((file) => file.split("/")[0]))).toEqual(new Set(Object.keys(MAY)));
  });

  test("import downwards only", () => {
    const wrong = imports.filter((each) => {
      const target = toolIn(each);
      const may = [each.tool, ...(MAY[each.tool] ?? []), ...(each.inTest ? ["testing"] : [])];
      return target !== undefined && !may.includes(target);
    });
    expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  test("declare every package they import", () => {
    const wrong = imports.filter(({ tool, inTest, target }) => {
      return ![...declared(tool), ...(inTest ? FOR_TESTS : [])].includes(target);
    });
    expect([...new Set(wrong.map(({ file, target }) => `${file} imports ${target}`))]).toEqual([]);
  });
});
