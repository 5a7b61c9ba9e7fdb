import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { escapeControls, isExpected, openAtomic, run, WaybillError, writeFileAtomic } from "@waybill/oci";
import { temporaryFolder } from "./fixtures.ts";

const sh = (script: string, options = {}) => run("sh", ["-c", script], options);

describe("running a program", () => {
  it("gives success and failure in one shape", async () => {
    expect(await sh("echo out; echo err >&2")).toEqual({ exitCode: 0, signal: null, stdout: "out\n", stderr: "err\n" });
    expect(await sh("exit 3")).toMatchObject({ exitCode: 3, signal: null });
    expect(await sh("kill -9 $$")).toMatchObject({ exitCode: 137, signal: "SIGKILL" });
  });

  it("passes arguments as they are", async () => {
    const nasty = ["a b", "$(id)", "*", "", "'\"", "-n"];
    expect((await run("printf", ["%s|", ...nasty])).stdout).toBe(nasty.map((text) => `${text}|`).join(""));
  });

  it("feeds stdin from a string or a stream, and minds no program that reads none of it", async () => {
    expect((await run("cat", [], { input: "text" })).stdout).toBe("text");
    expect((await run("cat", [], { input: Readable.from(["a", "b"]) })).stdout).toBe("ab");
    expect((await run("true", [], { input: "x".repeat(1_000_000) })).exitCode).toBe(0);
    expect((await run("cat", [])).stdout).toBe("");
  });

  it("tells each line as it comes", async () => {
    const lines: string[] = [];
    await sh("printf 'one\\r\\ntwö\\nthree'; echo four >&2", {
      onLine: (line: string, from: string) => lines.push(`${from} ${line}`),
    });
    expect(lines.sort()).toEqual(["stderr four", "stdout one", "stdout three", "stdout twö"]);
  });

  it("lays env over ours, and can take a variable away", async () => {
    process.env["WAYBILL_TEST"] = "ours";
    expect((await sh("echo $WAYBILL_TEST")).stdout).toBe("ours\n");
    expect((await sh("echo $WAYBILL_TEST", { env: { WAYBILL_TEST: "theirs" } })).stdout).toBe("theirs\n");
    expect((await sh("echo ${WAYBILL_TEST-none}", { env: { WAYBILL_TEST: undefined } })).stdout).toBe("none\n");
  });

  it("makes a failure an error where it is asked to, without showing private arguments", async () => {
    const failing = run("sh", ["-c", "echo first >&2; echo last >&2; exit 2", "secret"], { check: true });
    await expect(failing).rejects.toThrow(new WaybillError("sh failed with exit code 2 (last)"));
  });

  it("names a program or a folder that is missing", async () => {
    await expect(run("no-such-program", [])).rejects.toThrow(/^no-such-program is not installed: `npx waybill doctor`/);
    await expect(run("true", [], { cwd: "/no/such" })).rejects.toThrow(
      "the working directory does not exist, /no/such",
    );
  });

  it.each(["abort", "timeout"])("ends a program and its children on %s", async (how) => {
    const file = join(await temporaryFolder(), "pids");
    const stopper = new AbortController();
    const onLine = () => how === "abort" && stopper.abort(new Error("called off"));
    const script = `sleep 60 & echo "$! $$" > ${file}; echo ready; wait`;
    const options = { signal: stopper.signal, onLine, ...(how === "timeout" && { timeoutMs: 200 }) };
    await expect(sh(script, options)).rejects.toThrow(how === "abort" ? "called off" : "sh did not end within 200 ms");
    for (const pid of (await readFile(file, "utf8")).trim().split(" ")) await gone(Number(pid));
  });

  it("takes its programs along when it is ended itself", async () => {
    const file = join(await temporaryFolder(), "pid");
    const program = `import { run } from "@waybill/oci";
      await run("sh", ["-c", "echo $$ > ${file}; sleep 60"], { onLine() {} });`;
    const stopper = new AbortController();
    const args = ["--input-type=module", "--eval", program];
    const ended = run(process.execPath, args, { cwd: import.meta.dirname, signal: stopper.signal }).catch(() => {});
    const pid = await until(async () => Number(await readFile(file, "utf8").catch(() => "")) || undefined);
    stopper.abort();
    await ended;
    await gone(pid);
  });
});

describe("an atomic file", () => {
  it("replaces the old one whole, or not at all", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "new", "file");
    await writeFileAtomic(file, "old");
    const next = await openAtomic(file);
    await next.handle.writeFile("half");
    expect(await readFile(file, "utf8")).toBe("old");
    await next.discard();
    expect(await readdir(join(folder, "new"))).toEqual(["file"]);
    await writeFileAtomic(file, "new");
    expect(await readFile(file, "utf8")).toBe("new");
  });

  it("leaves nothing behind where it can't be put in place", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file"), "");
    await expect(writeFileAtomic(join(folder, "file", "below"), "x")).rejects.toThrow();
    await expect(writeFileAtomic(folder, "x")).rejects.toThrow();
    expect(await readdir(folder)).toEqual(["file"]);
  });
});

describe("an error", () => {
  it("is one line: what, where, mend", () => {
    const error = new WaybillError("bad\nbudget", { where: "project.json:3", mend: "write \u001b[31m10 MB" });
    expect(error.message).toBe("bad\\nbudget, project.json:3: write \\u{1b}[31m10 MB");
    expect(isExpected(error)).toBe(true);
    expect(isExpected(new TypeError("bug"))).toBe(false);
  });

  it("shows what would turn text around", () => {
    expect(escapeControls("a\u202eb\u2028c")).toBe("a\\u{202e}b\\u{2028}c");
  });
});

/** Asks until there is an answer. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until a process is no more, or only a zombie that awaits its parent. */
async function gone(pid: number): Promise<void> {
  await until(async () => {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
    return stat === undefined || / Z /.test(stat) ? true : undefined;
  });
}
