import { expect, test } from "vitest";
import { codeIn, plainLines } from "./class-names.ts";

test("lines end as on any system, blank ones are none", () => {
  for (const end of ["\n", "\r\n", "\r"])
    expect(plainLines(["ant ", "", " bee", ""].join(end))).toEqual(["ant", "bee"]);
});

test.each([
  [["fire ant", "7 up", "bee"]],
  [["a photo of a {}."]],
  [['a photo of the number: "{}".', "a {}, a {}"]],
  [["0", "1", "2"]],
  [["1 euro", "2 euro coin", "50 cents"]],
  [["3 wheeler", "4 wheeler"]],
  [["[laughs] {}"]],
  [[]],
])("names and templates: %j", (lines) => {
  expect(codeIn(lines)).toBeUndefined();
});

test.each([
  [["'a bad photo of a {}.',", "'a sketch of a {}.',"], "in quotes"],
  [['"ant"', '"bee"'], "in quotes"],
  [["[", '"ant",', "]"], "as a program or JSON would"],
  [['["ant", "bee"]'], "as a program or JSON would"],
  [['lambda c: f"a photo of a {c}."'], "as a program or JSON would"],
  [["0 ant", "1 bee"], "numbered"],
  [["1\tant", "2\tbee"], "numbered"],
  [["0: ant", "1: bee"], "numbered"],
  [["1, ant", "2, bee"], "numbered"],
])("what was copied out of something else: %j", (lines, why) => {
  expect(codeIn(lines)).toContain(why);
});
