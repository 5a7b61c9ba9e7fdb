import { expect, test } from "vitest";
import { readInstructions } from "../src/instructions.ts";
import { fixture } from "./fixture.ts";

test("instructions are cut as the engine cuts them", () => {
  const { instructions, escape, unterminated } = readInstructions(fixture("lines-that-mislead"));
  expect(instructions.map(({ line, endLine, keyword, text }) => `${line}-${endLine} ${keyword} ${text}`)).toEqual([
    "3-3 FROM scratch",
    "4-11 RUN <<EOT cat &&     true",
    '12-13 COPY ["a b",   "c d"]',
    "14-14 ENV A=C:\\\\",
    '15-17 ARG X="two   words"   Y=1',
    "18-23 RUN echo <<-ONE <<'TWO' >/f",
    "24-26 ONBUILD RUN <<E",
    '27-27 CMD ["x"]',
  ]);
  expect(instructions.flatMap(({ heredocs }) => heredocs.map(({ name, expands }) => `${name} ${expands}`))).toEqual([
    "EOT true",
    "ONE true",
    "TWO false",
    "E true",
  ]);
  expect(escape).toBe("\\");
  expect(unterminated).toEqual([{ line: 27, what: "continuation" }]);
});

test("directives stand first, and may be several", () => {
  const read = readInstructions("\uFEFF# syntax=docker/dockerfile:1\r\n#ESCAPE = `\r\nFROM a `\r\n AS b");
  expect([read.syntax, read.escape, read.instructions.map(({ text }) => text)]).toEqual([
    "docker/dockerfile:1",
    "`",
    ["a  AS b"],
  ]);
});

test("flags may have values in quotes, and end where the words begin", () => {
  const [run] = readInstructions(`RUN --mount=type=bind,"from=a" --network=none ls --all`).instructions;
  expect(run?.flags).toEqual([
    { name: "mount", value: "type=bind,from=a" },
    { name: "network", value: "none" },
  ]);
  expect(run?.text).toBe("ls --all");
});
