import { expect, test } from "vitest";
import { imagesToShow, imagesToVerify, rate } from "./rate.ts";

test("Wilson: 7 of 20 lies in [0.1812, 0.5671]", () => {
  // p = 0.35, z = 1.96: centre (0.35 + 0.09604) / 1.19207 = 0.37417, half width 0.19298
  const { value, interval } = rate(7, 20);
  expect(value).toBe(0.35);
  expect(interval[0]).toBeCloseTo(0.18119, 4);
  expect(interval[1]).toBeCloseTo(0.56715, 4);
});

test("no hits give [0, z^2/(n + z^2)], all hits the mirror of it", () => {
  const none = rate(0, 100).interval;
  expect(none[0]).toBe(0);
  expect(none[1]).toBeCloseTo(3.8415 / 103.8415, 6);
  const all = rate(100, 100).interval;
  expect(all[0]).toBeCloseTo(1 - none[1], 12);
  expect(all[1]).toBe(1);
});

test("189 images without a hit are the fewest that show a rate of at most 2 %", () => {
  expect(imagesToShow(0.02)).toBe(189);
  expect(rate(0, 189).interval[1]).toBeLessThanOrEqual(0.02);
  expect(rate(0, 188).interval[1]).toBeGreaterThan(0.02);
});

test("images that would verify a rate of at most 2 %, if it stayed as it is", () => {
  for (const [hits, n] of [
    [0, 50],
    [3, 300],
    [30, 1980],
    [19, 1000],
  ] as const) {
    // biome-ignore format: a list
    const needed = imagesToVerify(rate(hits, n), 0.02);
    const upper = (images: number) => rate((hits / n) * images, images).interval[1];
    expect(needed).toBeGreaterThan(n);
    expect(upper(needed)).toBeLessThanOrEqual(0.02);
    expect(upper(needed - 1)).toBeGreaterThan(0.02);
  }
  expect(imagesToVerify(rate(0, 50), 0.02)).toBe(imagesToShow(0.02));
  expect(imagesToVerify(rate(20, 1000), 0.02)).toBe(Number.POSITIVE_INFINITY);
});
