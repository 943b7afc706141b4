import { describe, expect, test } from "vitest";
import { random } from "../tensor/random.ts";
import { rate } from "./rate.ts";
import { leastBoth, retention } from "./retention.ts";

/** By the four counts: right both times, before alone, after alone, never (which says nothing). */
const of = (both: number, lost: number, gained: number) =>
  retention({ both, before: both + lost, after: both + gained });

// scripts/golden/retention.py
test.each([
  [43, 8, 1, 1, 0.7358068, 0.9704404],
  [20, 12, 2, 16, 0.4995721, 0.8936841],
  [1900, 90, 5, 5, 0.9470616, 0.9659728],
  [1930, 50, 20, 0, 0.9760919, 0.9929039],
  [180, 0, 0, 20, 0.9791045, 1.0213414],
  [9, 3, 0, 0, 0.4676947, 1.0701216],
  [9, 0, 3, 0, 0.9344733, 2.1381471],
  [30, 10, 10, 0, 0.7925004, 1.2618289],
  [2, 30, 1, 67, 0.031735, 0.2618701],
  [1, 1, 1, 1, 0.231436, 4.3208482],
  [0, 4, 2, 10, 0.1071394, 2.3334076],
  [60, 3, 20, 17, 1.1232859, 1.4782751],
])(
  "Nam and Blackwelder 2002: %i both, %i before alone, %i after alone, %i never",
  (both, lost, gained, _, low, high) => {
    const { value, interval } = of(both, lost, gained);
    expect(value).toBe((both + gained) / (both + lost));
    expect(interval[0]).toBeCloseTo(low, 6);
    expect(interval[1]).toBeCloseTo(high, 6);
  },
);

test("where nothing is gained the lower bound is Wilson's of what is left", () => {
  for (const [left, before] of [[180, 180], [1000, 1000], [170, 200], [1700, 2000], [1, 30]] as const) // biome-ignore format: a list
    expect(of(left, before - left, 0).interval[0]).toBeCloseTo(rate(left, before).interval[0], 9);
});

test("asked the other way round the ratio and its interval are turned over", () => {
  const [low, high] = of(60, 12, 5).interval;
  const [turned, other] = of(60, 5, 12).interval;
  expect([1 / other, 1 / turned]).toEqual([expect.closeTo(low, 9), expect.closeTo(high, 9)]);
});

describe("edges", () => {
  const infinite = Number.POSITIVE_INFINITY;
  test("no images, or none that was ever right: nothing is known", () => {
    expect(of(0, 0, 0)).toEqual({ value: Number.NaN, interval: [0, infinite] });
  });

  test("nothing right before: no upper end", () => {
    const { value, interval } = of(0, 0, 3);
    expect({ value, high: interval[1] }).toEqual({ value: infinite, high: infinite });
    expect(interval[0]).toBeGreaterThan(0);
  });

  test("nothing right after: from zero, and the more were right before the less is possible", () => {
    const [few, many] = [of(0, 3, 0).interval, of(0, 300, 0).interval];
    expect([few[0], many[0]]).toEqual([0, 0]);
    expect(many[1]).toBeLessThan(0.02);
    expect(few[1]).toBeGreaterThan(1);
  });
});

test("of 2,000 draws the true ratio lies below and above the interval one time in forty each", () => {
  const draw = random("retention", 1);
  const [p, draws, n] = [{ both: 0.84, lost: 0.1, gained: 0.02 }, 2000, 400];
  const truth = (p.both + p.gained) / (p.both + p.lost);
  const missed = [0, 0];
  for (let i = 0; i < draws; i++) {
    const count = [0, 0, 0];
    for (let k = 0; k < n; k++) {
      const u = draw.uniform();
      if (u < p.both) count[0]++;
      else if (u < p.both + p.lost) count[1]++;
      else if (u < p.both + p.lost + p.gained) count[2]++;
    }
    const [low, high] = of(count[0], count[1], count[2]).interval;
    if (truth < low) missed[0]++;
    if (truth > high) missed[1]++;
  }
  for (const side of missed) {
    // 2.5 % of 2,000 are 50, give or take 7
    expect(side).toBeGreaterThan(25);
    expect(side).toBeLessThan(75);
  }
});

test("the worst pairing that two counts allow has the lowest bound", () => {
  const [before, after, n] = [1980, 1950, 2000];
  const least = leastBoth(before, after, n);
  expect(least).toBe(1930);
  const lower = (both: number) => retention({ before, after, both }).interval[0];
  for (let both = least + 1; both <= after; both++) expect(lower(both)).toBeGreaterThan(lower(both - 1));
  expect(leastBoth(3, 4, 10)).toBe(0);
});
