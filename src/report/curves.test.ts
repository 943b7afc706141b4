import { expect, test } from "vitest";
import { rate } from "../stats/rate.ts";
import { alphaScale, onePerAlpha } from "./curves.ts";

test("equal ratios of alpha are equal distances", () => {
  const x = alphaScale([1, 3, 400]);
  expect(x(20) - x(1)).toBeCloseTo(x(400) - x(20), 0);
  expect(x(10) - x(2)).toBeCloseTo(x(50) - x(10), 0);
});

test("0 stands apart at the left, with a tick of its own", () => {
  const x = alphaScale([0, 0.5, 4]);
  expect(x(0.5) - x(0)).toBeGreaterThan(20);
  expect(x.ticks).toEqual([0, 0.5, 1, 2]);
});

test("at most six ticks, whatever the range; one alpha alone stands in the middle", () => {
  expect(alphaScale([1, 64]).ticks).toEqual([1, 2, 5, 10, 20, 50]);
  expect(alphaScale([0.5, 400]).ticks).toEqual([1, 3, 10, 30, 100, 300]);
  expect(alphaScale([0.01, 400]).ticks).toEqual([0.01, 0.1, 1, 10, 100]);
  const alone = alphaScale([48]);
  expect(alone(48)).toBeCloseTo((alone(24) + alone(96)) / 2, 0);
  for (const alphas of [[], [0], [1e-9, 1e9]]) {
    const { ticks } = alphaScale(alphas);
    expect(ticks.length).toBeLessThanOrEqual(6);
    for (const tick of ticks) expect(alphaScale(alphas)(tick)).not.toBeNaN();
  }
});

test("of trials at one alpha, the one with the most images is drawn", () => {
  const trial = (alpha: number, n: number) => ({ alpha, ca: rate(n, n), asr: rate(0, n) });
  const drawn = onePerAlpha([trial(4, 500), trial(1, 200), trial(4, 200), trial(-1, 200)]);
  expect(drawn.map(({ alpha, ca }) => [alpha, ca.n])).toEqual([[1, 200], [4, 500]]); // biome-ignore format: a table
});
