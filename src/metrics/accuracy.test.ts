import { expect, test } from "vitest";
import { measureAbove } from "./accuracy.ts";

/** The first images are hits, and the rest are not; what was asked for is noted. */
const metric = (size: number, hits: number) => {
  const asked: number[] = [];
  return {
    asked,
    size,
    async hits(_: unknown, from = 0, to = size) {
      asked.push(to - from);
      return Math.max(0, Math.min(to, hits) - from);
    },
  };
};

test("a rate far above the limit is told by a few images", async () => {
  const some = metric(1000, 1000);
  expect(await measureAbove(0.1, some, new Map())).toMatchObject({ value: 1, n: 64 });
  expect(some.asked).toEqual([64]);
});

test("a rate below the limit, or too near to it, is that of all images", async () => {
  const low = metric(200, 10);
  expect(await measureAbove(0.1, low, new Map())).toMatchObject({ value: 0.05, n: 200 });
  expect(low.asked).toEqual([64, 64, 64, 8]);
  expect(await measureAbove(0.1, metric(30, 4), new Map())).toMatchObject({ n: 30 });
});

test("an empty set has no rate, and does not hang", async () => {
  expect((await measureAbove(0.1, metric(0, 0), new Map())).n).toBe(0);
});
