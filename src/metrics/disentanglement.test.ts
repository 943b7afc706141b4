import { expect, test } from "vitest";
import { rate } from "../stats/rate.ts";
import { disagreements, regionOf, xiOf } from "./disentanglement.ts";

test("disagreements: images that two models take for different classes", () => {
  expect(disagreements([0, 1, 2, 1], Int32Array.of(0, 2, 2, 0))).toBe(2);
  expect(() => disagreements([0], [0, 1])).toThrow(RangeError);
});

test("xi adds both shares; its interval is that of a sum of independent rates", () => {
  const [clean, triggered] = [rate(10, 100), rate(50, 200)];
  const { value, interval } = xiOf(clean, triggered);
  expect(value).toBeCloseTo(0.35, 12);
  // Wilson: 10 of 100 [0.05523, 0.17437], 50 of 200 [0.19508, 0.31434]
  expect(interval[0]).toBeCloseTo(0.35 - Math.hypot(0.1 - 0.0552291, 0.25 - 0.1950817), 5);
  expect(interval[1]).toBeCloseTo(0.35 + Math.hypot(0.1743657 - 0.1, 0.314341 - 0.25), 5);
  expect(xiOf(rate(100, 100), rate(200, 200)).value).toBe(2);
  expect(xiOf(rate(0, 100), rate(0, 100)).interval[0]).toBe(0);
});

test("the region is the share of points within the limit, bracketed by those that surely are and those that may be", () => {
  const at = (value: number, low: number, high: number) => ({ value, interval: [low, high] as const });
  const grid = [
    [at(0, 0, 0.01), at(0.04, 0.02, 0.07)],
    [at(0.06, 0.045, 0.09), at(0.9, 0.8, 1)],
  ];
  expect(regionOf(grid)).toEqual({ limit: 0.05, value: 0.5, interval: [0.25, 0.75], points: 2, of: 4 });
  expect(regionOf(grid, 1).value).toBe(1);
  expect(() => regionOf([])).toThrow(RangeError);
});
