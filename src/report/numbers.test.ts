import { expect, test } from "vitest";
import { rate } from "../stats/rate.ts";
import {
  alphaText,
  count,
  duration,
  moment,
  percent,
  percentWithInterval,
  points,
  pointsWithInterval,
} from "./numbers.ts";

test("rates have one decimal and their interval: 24 of 1,980 is 1.2 % (0.8–1.8)", () => {
  expect(percentWithInterval(rate(24, 1980))).toBe("1.2\u202f% (0.8–1.8)");
  expect(percent(1.0234)).toBe("102.3\u202f%");
  expect(count(1980)).toBe("1,980");
});

test("a rate of no images, which JSON makes null, is a dash", () => {
  expect(percentWithInterval(rate(0, 0))).toBe("–");
  expect(percent(JSON.parse("null"))).toBe("–");
});

test("differences are in points and signed", () => {
  expect([0.359, -0.0012, 0.0004, -0.0004].map(points)).toEqual(["+35.9", "−0.1", "±0.0", "±0.0"]);
  expect(pointsWithInterval({ value: 0.012, interval: [-0.003, 0.027] })).toBe("+1.2 (−0.3 to +2.7)");
  expect(pointsWithInterval({ value: JSON.parse("null"), interval: [-1, 1] })).toBe("–");
});

test("alphas have three significant digits and are whole above 100", () => {
  expect([0, 0.03125, 1.4321, 48, 99.96, 412.6, 1e6].map(alphaText)).toEqual(["0", "0.0313", "1.43", "48", "100", "413", "1000000"]); // biome-ignore format: a table
});

test("times are in the units one would say", () => {
  expect([0.04, 9.96, 59.96, 84, 3599.6, 5040].map(duration)).toEqual(["0.0 s", "10.0 s", "1 min 0 s", "1 min 24 s", "1 h 0 min", "1 h 24 min"]); // biome-ignore format: a table
  expect(moment("2026-03-04T05:06:07.000Z")).toBe("2026-03-04 05:06 UTC");
  expect(moment("yesterday")).toBe("yesterday");
});
