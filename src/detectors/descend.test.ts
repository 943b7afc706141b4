import { expect, test } from "vitest";
import { groups, rows } from "./descend.ts";

test.each([
  [100, 1, [25, 25, 25, 25]],
  [32, 1, [32]],
  [33, 1, [17, 16]],
  [6, 4, [6]],
  [9, 4, [5, 4]],
  [3, 64, [1, 1, 1]],
  [0, 1, []],
])("%i triggers, %i images with each: batches as even as can be", (count, each, sizes) => {
  const all = Array.from({ length: count }, (_, i) => i);
  const found = groups(all, each);
  expect(found.map(({ length }) => length)).toEqual(sizes);
  expect(found.flat()).toEqual(all);
  if (each <= rows) for (const group of found) expect(group.length * each).toBeLessThanOrEqual(rows);
});
