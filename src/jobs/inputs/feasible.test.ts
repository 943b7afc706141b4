import { expect, test } from "vitest";
import type { Rule } from "../../defenses/alpha-search.ts";
import { checkChecks, checkEnoughImages } from "./feasible.ts";

const rule: Rule = { name: "verified", limit: 0.02 };
const sets = (validation: number, test: number) => ({
  validation: { drawn: 210, usable: validation },
  test: { drawn: 210, usable: test },
});

test("189 images can show 2 %: 0 of 188 have an upper bound of 2.003 %", () => {
  expect(() => checkEnoughImages(rule, sets(189, 189))).not.toThrow();
  expect(() => checkEnoughImages(rule, sets(188, 500))).toThrow(
    /of 210 validation images 188 .* It takes 189 of them \(--validation 212 or so\)/,
  );
  expect(() => checkEnoughImages(rule, sets(500, 188))).toThrow(/of 210 test images 188 .*\(--test 212 or so\)/);
});

test("says what the images there are can show", () => {
  // 0 of 45: z^2 / (45 + z^2) = 7.87 %
  expect(() => checkEnoughImages(rule, sets(45, 500))).toThrow("too few images to say: of 210 validation images 45");
  expect(() => checkEnoughImages(rule, sets(45, 500))).toThrow(
    "even without a hit their 95 % upper bound is 7.9 %, and the limit is 2.0 %",
  );
  expect(() => checkEnoughImages(rule, sets(0, 500))).toThrow("It takes 189 of them, or a looser");
});

test("of a folder of triggered images says how large one would do", () => {
  const part = { drawn: 150, usable: 150, folder: 400 }; // three eighths; 189 are three eighths of 504
  expect(() => checkEnoughImages(rule, { validation: part, test: part })).toThrow(
    /of the folder's 400 triggered images 150 are kept for validation; .* It takes 189, which is a folder of 504 or so/,
  );
});

test.each<[Rule, number]>([
  [{ name: "verified", limit: 0.3 }, 9], // z^2 0.7 / 0.3 = 8.96
  [{ name: "smallest", limit: 0.05 }, 73], // z^2 0.95 / 0.05 = 72.99
  [{ name: "retain", limit: 0.95 }, 189],
  [{ name: "difference" }, 189],
])("every rule has a limit that its images must be able to show: %j", (rule, least) => {
  expect(() => checkEnoughImages(rule, sets(least, least))).not.toThrow();
  expect(() => checkEnoughImages(rule, sets(least - 1, least))).toThrow(`It takes ${least} of them`);
});

test("further checks see the limit, or are left out", () => {
  expect(() => checkChecks(rule, 0)).not.toThrow();
  expect(() => checkChecks(rule, 189)).not.toThrow();
  expect(() => checkChecks(rule, 50)).toThrow(
    "--checks 50: so few images cannot show an ASR of at most 2.0 %; 189 are the least",
  );
});
