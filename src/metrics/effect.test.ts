import { expect, test } from "vitest";
import type { Scorer } from "../engine/scorer.ts";
import { effectMetrics, measureEffect } from "./effect.ts";

const scorer = (answers: readonly number[]): Scorer => ({
  size: answers.length,
  answers: async (_, from = 0, to = answers.length) => Int32Array.from(answers.slice(from, to)),
});
const weights = new Map();

test("pairs: images of the target's own are left out, and the same images are compared", async () => {
  // target 0; six images, the second is of the target itself
  const input = {
    labels: [1, 0, 2, 1, 2, 1],
    clean: scorer([1, 0, 0, 0, 2, 1]),
    triggered: scorer([0, 0, 2, 0, 1]),
    target: 0,
    paired: true,
  };
  const effect = await measureEffect(effectMetrics(input), weights);
  expect(effect.asr).toMatchObject({ value: 3 / 5, n: 5 });
  expect(effect.withoutTrigger).toMatchObject({ value: 2 / 5, n: 5 });
  // with alone: first and fifth image; without alone: the fourth
  expect(effect.difference).toMatchObject({ value: 1 / 5, n: 5, paired: true });
  expect(effect.triggeredAccuracy).toMatchObject({ value: 1 / 5, n: 5 });
  const glance = await measureEffect(effectMetrics(input), weights, { images: 2 });
  expect([glance.asr, glance.withoutTrigger]).toMatchObject([{ value: 1, n: 2 }, { value: 0.5, n: 2 }]); // biome-ignore format: a pair
});

test("a folder of triggered images has no pairs and no labels: clean images of other classes stand beside it", async () => {
  const input = { labels: [1, 0, 2, 1], clean: scorer([1, 0, 0, 1]), triggered: scorer([0, 0, 0, 1, 0]), target: 0 };
  const effect = await measureEffect(effectMetrics({ ...input, paired: false }), weights);
  expect(effect.asr).toMatchObject({ value: 0.8, n: 5 });
  expect(effect.withoutTrigger).toMatchObject({ value: 1 / 3, n: 3 });
  expect(effect.difference).toMatchObject({ paired: false, n: 3 });
  expect(effect.triggeredAccuracy).toBeUndefined();
});

test("images without labels have no accuracy", async () => {
  const input = { labels: [-1, -1], clean: scorer([1, 1]), triggered: scorer([0, 1]), target: 0, paired: true };
  expect((await measureEffect(effectMetrics(input), weights)).triggeredAccuracy).toBeUndefined();
});

test("as many triggered images as clean ones of other classes, or it is a mistake", () => {
  const input = { labels: [1, 1], clean: scorer([1, 1]), triggered: scorer([0]), target: 0, paired: true };
  expect(() => effectMetrics(input)).toThrow(RangeError);
});

test.each([
  ["more both ways than one way", 6, 2, 3, 0],
  ["one image with two answers", 6, 2, 1, 5],
])("counts that no answers make are refused: %s", async (_, asr, without, both, right) => {
  const metric = (hits: number) => ({ size: 10, hits: async () => hits });
  const counts = { asr: metric(asr), withoutTrigger: metric(without), both: metric(both), right: metric(right) };
  await expect(measureEffect(counts, weights)).rejects.toMatchObject({
    code: "bad-input",
    message: expect.stringMatching(/of 10 triggered images 6 are taken for the target/),
  });
  const sound = { ...counts, both: metric(Math.min(2, both)), right: metric(Math.min(4, right)) };
  expect((await measureEffect(sound, weights)).asr.value).toBe(0.6);
});
