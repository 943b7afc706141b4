import { describe, expect, test } from "vitest";
import { random } from "../tensor/random.ts";
import { hitsThatHold, hitsToRisk, hitsWithin, shareThatHolds } from "./fresh.ts";
import { rate } from "./rate.ts";

test.each([
  [188, -1],
  [189, 0],
  [485, 3],
  [1980, 27],
  [0, -1],
])("of %i images %i hits at most have an upper bound of 2 %", (n, most) => {
  expect(hitsWithin(n, 0.02)).toBe(most);
  if (most >= 0) expect(rate(most, n).interval[1]).toBeLessThanOrEqual(0.02);
  if (n > 0) expect(rate(most + 1, n).interval[1]).toBeGreaterThan(0.02);
  expect(hitsWithin(n, 1)).toBe(n === 0 ? -1 : n);
});

describe("the share of choices that hold", () => {
  test("by the definition: all ranks of the two sets' images are equally likely", () => {
    // 3 of validation, 2 of test, a choice that leaves 1 of validation; with a limit of 60 % none of 2 test images may be hit: that is
    // when both give in before the last but one of validation: orders of vvvtt with two v after the last t: 3 of 10
    expect(hitsWithin(2, 0.66)).toBe(0);
    expect(shareThatHolds(1, 3, { test: 2, limit: 0.66 })).toBeCloseTo(3 / 10, 12);
    expect(shareThatHolds(0, 3, { test: 2, limit: 0.66 })).toBeCloseTo(6 / 10, 12);
    expect(shareThatHolds(0, 3, { test: 2, limit: 1 })).toBe(1);
  });

  test("as drawn: 4,000 times the images' own strengths", () => {
    const [n, images, draws] = [300, 400, 4000];
    const draw = random("fresh", 1);
    const uniform = (size: number) => Float64Array.from({ length: size }, () => draw.uniform()).sort();
    let held = 0;
    for (let i = 0; i < draws; i++) {
      const [own, test] = [uniform(n), uniform(images)];
      const left = test.filter((strength) => strength > own[n - 2]).length; // all but one have given in
      if (rate(left, images).interval[1] <= 0.02) held++;
    }
    const promised = shareThatHolds(1, n, { test: images, limit: 0.02 });
    expect(Math.abs(held / draws - promised)).toBeLessThan(0.025);
  });

  test("many images: nothing overflows", () => {
    const many = { test: 50_000, limit: 0.02 };
    expect(shareThatHolds(700, 50_000, many)).toBeCloseTo(1, 6);
    expect(shareThatHolds(937, 50_000, many)).toBeGreaterThan(0.4);
    expect(shareThatHolds(937, 50_000, many)).toBeLessThan(0.6);
  });
});

test("hits that hold: fewer than the validation images' own bound allows, and none where no number does", () => {
  const fresh = { test: 1980, limit: 0.02 };
  expect(hitsThatHold(485, { ...fresh, share: 0.95 })).toBe(2); // 95.3 %; 3 hold in 88.6 %
  expect(hitsThatHold(485, { ...fresh, share: 0.98 })).toBe(1); // 98.6 %
  expect(hitsThatHold(189, { ...fresh, share: 0.95 })).toBe(-1); // without a hit 92.3 %
  expect(hitsThatHold(485, { limit: 0.02, test: 100, share: 0.95 })).toBe(-1); // 100 images verify nothing
});

test("hits that may hold: more than the validation images' own bound allows, so long as the share of draws does", () => {
  const fresh = { test: 989, limit: 0.02 };
  expect(hitsWithin(274, 0.02)).toBe(0);
  expect(hitsToRisk(274, { ...fresh, share: 0.8 })).toBe(1); // 81 %
  expect(hitsToRisk(274, { ...fresh, share: 0.5 })).toBe(2); // 61 %; 3 hold in 42 %
  expect(hitsToRisk(274, { ...fresh, share: 0.96 })).toBe(-1); // without a hit 94.8 %
});
