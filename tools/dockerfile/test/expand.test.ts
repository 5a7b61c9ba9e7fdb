import { expect, test } from "vitest";
import { expand } from "../src/expand.ts";

const values: Record<string, string> = { X: "x", EMPTY: "", P: "foo.bar.baz", N: "a/b" };

test.each([
  ["$X-${X}", "x-x"],
  ["${NO:-d}${EMPTY:-d}${EMPTY-d}${NO-e}", "dde"],
  ["${X:+a}${NO:+a}${EMPTY:+a}${EMPTY+a}", "aa"],
  ["${NO:-${X:-y}$X}", "xx"],
  ['\'$X\' "$X" \\$X "\\$X" "\\n"', "$X x $X $X \\n"],
  ["${P#*.} ${P##*.} ${P%.*} ${P%%.*}", "bar.baz baz foo.bar foo"],
  ["${P/./-} ${P//./-} ${N//a/$}", "foo-bar.baz foo-bar-baz $/b"],
  ["a$", "a$"],
])("%s becomes %s", (word, value) => expect(expand(word, (name) => values[name]).value).toBe(value));

test("names without a value are told, unless the word has another for them", () => {
  const { missing, used } = expand("$A ${B:-x} ${C:?must} ${NO:+$D} ${NO:-$E} ${X:-$F}", (name) => values[name]);
  expect([...missing]).toEqual(["A", "C", "E"]);
  expect([...used]).toEqual(["A", "B", "C", "NO", "D", "E", "X", "F"]);
});

test("the escape character may be a backtick", () =>
  expect(expand("`$X\\$X", (name) => values[name], "`").value).toBe("$X\\x"));

test.each(["${X", "${", "${}", "'x", '"x'])("%s is an error", (word) =>
  expect(expand(word, () => "").error).toBeDefined(),
);
