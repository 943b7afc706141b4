import { expect, test } from "vitest";
import type { Scorer } from "../engine/scorer.ts";
import { rate } from "../stats/rate.ts";
import { retention } from "../stats/retention.ts";
import { keptFault, retentionOf, stillRight, stretchedRetention } from "./retention.ts";

test("still right: the same images under both weights, some of them or all", async () => {
  const [before, after] = [new Map(), new Map()];
  const answers = new Map([[before, [0, 1, 2, 2, 0]], [after, [0, 2, 2, 1, 1]]]); // biome-ignore format: a pair
  const scorer: Scorer = {
    size: 5,
    answers: async (weights, from, to) =>
      Int32Array.from((answers.get(weights as Map<never, never>) as number[]).slice(from, to)),
  };
  const metric = stillRight(scorer, [0, 1, 2, 1, 1], before); // right before: 0, 1, 2; after: 0, 2, 3, 4
  expect(await metric.hits(after)).toBe(2);
  expect(await metric.hits(after, 1, 4)).toBe(1);
  expect(await metric.hits(before)).toBe(3);
});

const kept = { before: rate(990, 1000), after: rate(975, 1000), stillRight: rate(970, 1000) };

test("retention of three rates is that of their counts; without the third the worst pairing is taken", () => {
  expect(retentionOf(kept)).toEqual(retention({ before: 990, after: 975, both: 970 }));
  expect(retentionOf({ ...kept, stillRight: undefined })).toEqual(retention({ before: 990, after: 975, both: 965 }));
});

test("more images at the same rates: the same ratio, a narrower interval", () => {
  const [few, many] = [retentionOf(kept), stretchedRetention(kept, 4000)];
  expect(many.value).toBeCloseTo(few.value, 12);
  expect(many.interval[0]).toBeGreaterThan(few.interval[0]);
  expect(many.interval[1]).toBeLessThan(few.interval[1]);
});

test.each([
  ["more both times than after", { stillRight: rate(976, 1000) }],
  ["fewer both times than the two leave room for", { stillRight: rate(964, 1000) }],
  ["other numbers of images", { stillRight: rate(97, 100) }],
  ["other numbers before", { before: rate(99, 100) }],
])("counts that no answers make: %s", (_, change) => {
  expect(keptFault(kept)).toBeUndefined();
  expect(keptFault({ ...kept, ...change })).toMatch(/were right before/);
});
