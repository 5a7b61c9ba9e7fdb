import { expect, test } from "vitest";
import { consumedArgs, contextInputs, edgesOf, parseDockerfile, parseIgnore, requireSound } from "../src/index.ts";
import { randomFrom } from "./random.ts";
import type { BuildOptions } from "../src/index.ts";

function problems(text: string, options: BuildOptions = {}): string[] {
  return parseDockerfile(text, "D", options).problems.map(({ message }) => message);
}

test.each([
  ["an empty file", "", "no FROM, D:1: begin with FROM an image, or FROM scratch"],
  ["a misspelt instruction", "FROM scratch\n\nCOPPY a b\n", "unknown instruction COPPY, D:3: did you mean COPY?"],
  [
    "an instruction too early",
    "RUN x\nFROM scratch",
    "RUN before the first FROM, D:1: only ARG may stand there: move it below FROM",
  ],
  [
    "a heredoc without end",
    "FROM scratch\nRUN <<EOF\necho\n",
    "the heredoc <<EOF has no end, D:2: end it with a line that says EOF alone",
  ],
  [
    "a continuation at the end",
    "FROM scratch\nRUN a \\\n",
    "the instruction goes on past the end of the file, D:2: take the last \\ away or finish the instruction",
  ],
  [
    "an ARG without value",
    "ARG B\nFROM $B",
    "FROM uses B, which has no value, D:2: give it a default in line 1 (ARG B=…), or the build arg B",
  ],
  [
    "an ARG nobody declared",
    "FROM debian:${V}",
    "FROM uses V, which has no value, D:1: declare ARG V=… above the first FROM",
  ],
  [
    "an ARG declared too late",
    "FROM scratch\nARG V=1\nFROM debian:$V",
    "FROM uses V, which has no value, D:3: FROM sees only ARGs above the first FROM: move ARG V there",
  ],
  ["an unclosed brace", "ARG A=1\nFROM ${A", "unknown substitution in ${A, D:2: write ${NAME} or ${NAME:-default}"],
  [
    "an unknown stage index",
    "FROM scratch\nCOPY --from=3 a b",
    "no stage 3, D:2: stages are counted from 0 to 0; better, name it",
  ],
  [
    "a circle of stages",
    "FROM scratch AS a\nCOPY --from=b x y\nFROM scratch AS b\nCOPY --from=a x y",
    "stage 1 needs itself, D:4: copy from a stage that doesn't need this one",
  ],
  [
    "a variable where none may be",
    "FROM scratch\nARG X=y\nCOPY --from=$X a b",
    "a variable in from=$X, D:3: give that image a stage of its own (FROM … AS name) and name the stage here",
  ],
  ["an unknown flag", "FROM scratch\nCOPY --form=x a b", "COPY has no flag --form, D:2: did you mean --from?"],
  ["no destination", "FROM scratch\nCOPY a", "COPY names no destination, D:2: write COPY <source>… <destination>"],
  ["an instruction alone", "FROM scratch\nUSER", "USER says nothing, D:2: give it an argument or delete the line"],
  [
    "a reserved stage name",
    "FROM scratch AS scratch",
    'scratch can\'t name a stage, D:1: begin with a letter; letters, digits, "_", "-" and "." may follow; not "scratch" or "context"',
  ],
  [
    "two stages of a name",
    "FROM scratch AS a\nFROM scratch AS A",
    "a second stage a, D:2: line 1 has that name: take another",
  ],
  [
    "a FROM with a word too many",
    "FROM a b",
    "FROM takes an image and, after AS, a name, D:1: write FROM <image> AS <name>",
  ],
  ["an AS without a name", "FROM a AS", "FROM takes an image and, after AS, a name, D:1: write FROM <image> AS <name>"],
  [
    "a platform without value",
    "ARG P\nFROM --platform=$P a",
    "FROM uses P, which has no value, D:2: give it a default in line 1 (ARG P=…), or the build arg P",
  ],
  ["a variable without value", "FROM a\nENV X", "ENV X has no value, D:2: write ENV X=…"],
])("%s is one line with file, line and mend", (_, text, message) => expect(problems(text)).toEqual([message]));

test("a build arg heals a FROM without default", () =>
  expect(problems("ARG B\nFROM $B", { buildArgs: { B: "x" } })).toEqual([]));

test("a target that isn't there names the nearest", () =>
  expect(problems("FROM scratch AS debug", { target: "debgu" })).toEqual(["no stage debgu, D:1: did you mean debug?"]));

test("all problems come at once, by line, and the first is thrown", () => {
  const text = "FROM scratch\nFOO x\nCOPY a\n";
  expect(problems(text)).toHaveLength(2);
  expect(() => requireSound(parseDockerfile(text, "D"))).toThrow("unknown instruction FOO, D:2");
});

test("what only looks wrong is none", () => {
  const text =
    "FROM scratch\r\nRUN echo $((1<<2)) '<<EOF' && cat <<< x\r\nRUN <<-E\r\n\techo\r\n\tE\r\nCMD [\"a\"]\r\n";
  expect(problems(text)).toEqual([]);
});

test("no text makes it throw", () => {
  const random = randomFrom(1);
  const pieces = [
    "FROM a\n",
    "ARG X",
    "=${",
    "COPY --from=",
    "<<EOF",
    "\\\n",
    "# escape=`\n",
    '["',
    "RUN ",
    "--mount=",
    "'",
    "\0",
    "ü",
    "\r",
    "$",
    "\n",
    " ",
  ];
  for (let round = 0; round < 1000; round++) {
    const text = Array.from({ length: random(14) }, () => pieces[random(pieces.length)]).join("");
    const dockerfile = parseDockerfile(text, "D");
    edgesOf(dockerfile);
    consumedArgs(dockerfile);
    contextInputs(parseIgnore(text), dockerfile);
  }
});
