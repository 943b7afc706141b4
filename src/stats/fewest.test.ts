import { expect, test } from "vitest";
import { fewest } from "./fewest.ts";

test.each([
  [0, 1],
  [0, 189],
  [7, 8],
  [100, 999_999],
])("from %i on: %i", (from, least) => {
  expect(fewest(from, (n) => n >= least)).toBe(least);
});

test("what no number of images does is said to take infinitely many", () => {
  expect(fewest(500, () => false)).toBe(Number.POSITIVE_INFINITY);
});
