import { expect, test } from "vitest";
import { pairedDifference, unpairedDifference } from "./difference.ts";
import { rate } from "./rate.ts";

// scripts/golden/differences.py
test.each([
  [1, 7, 21, -0.5172323, -0.026003],
  [40, 20, 160, 0.0308645, 0.2180642],
  [0, 0, 189, -0.0199203, 0.0199203],
  [18, 0, 189, 0.0610933, 0.1455089],
  [1, 0, 1, -0.5869014, 1],
  [5, 5, 50, -0.1354323, 0.1354323],
  [150, 3, 200, 0.6620479, 0.7941916],
  [200, 0, 200, 0.9623093, 1],
  [3, 60, 1000, -0.0737615, -0.0431744],
  [30, 29, 60, -0.2276667, 0.2590103],
])("Tango 1998: %i and %i of %i pairs", (first, second, n, low, high) => {
  const difference = pairedDifference({ first, second, n });
  expect(difference).toMatchObject({ value: (first - second) / n, n, paired: true });
  expect(difference.interval[0]).toBeCloseTo(low, 6);
  expect(difference.interval[1]).toBeCloseTo(high, 6);
});

test("where nothing happens without, the upper bound is Wilson's: z^2 / (n + z^2) for no hit, and so on", () => {
  for (const [hits, n] of [[0, 189], [7, 500], [30, 200]] as const) // biome-ignore format: a list
    expect(pairedDifference({ first: hits, second: 0, n }).interval[1]).toBeCloseTo(rate(hits, n).interval[1], 9);
});

test("the other way round the interval is mirrored", () => {
  const [low, high] = pairedDifference({ first: 12, second: 5, n: 90 }).interval;
  const [mirrored, other] = pairedDifference({ first: 5, second: 12, n: 90 }).interval;
  expect([-other, -mirrored]).toEqual([expect.closeTo(low, 9), expect.closeTo(high, 9)]);
});

test("Newcombe 1998, method 10, by hand: 56 of 70 and 48 of 80", () => {
  // Wilson: 0.8 in [0.69183, 0.87704], 0.6 in [0.49040, 0.70021]
  const { value, interval, paired, n } = unpairedDifference(rate(56, 70), rate(48, 80));
  expect({ value, paired, n }).toEqual({ value: expect.closeTo(0.2, 9), paired: false, n: 70 });
  expect(interval[0]).toBeCloseTo(0.2 - Math.sqrt(0.10817 ** 2 + 0.10021 ** 2), 3); // 0.0524, as in the paper
  expect(interval[1]).toBeCloseTo(0.2 + Math.sqrt(0.07704 ** 2 + 0.1096 ** 2), 3); // 0.3339
});

test("no images, no difference", () => {
  expect(pairedDifference({ first: 0, second: 0, n: 0 })).toMatchObject({ value: Number.NaN, interval: [-1, 1] });
  expect(unpairedDifference(rate(0, 0), rate(1, 9))).toMatchObject({ n: 0, interval: [-1, 1] });
});
