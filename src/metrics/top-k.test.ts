import { expect, test } from "vitest";
import type { Dataset } from "../data/dataset.ts";
import { tensor } from "../tensor/tensor.ts";
import { metricsNamed } from "./index.ts";
import { successTopFive, topFive, topK } from "./top-k.ts";

test("top k: the wanted class among the k largest logits; of equal ones the first is larger", () => {
  const head = tensor([4, 2], [1, 0, 0, 1, -1, 0, 0, 1]); // the second and fourth class have one direction
  const images = tensor([2, 2], [0.8, 0.6, -0.6, 0.8]);
  // logits of the first: 0.8, 0.6, -0.8, 0.6; of the second: -0.6, 0.8, 0.6, 0.8
  const hits = (wanted: number[], k: number) => topK(images, head, wanted, k).value;
  expect([hits([0, 1], 1), hits([0, 3], 1), hits([1, 3], 1)]).toEqual([1, 0.5, 0]);
  expect([hits([1, 3], 2), hits([3, 2], 2), hits([3, 2], 3), hits([2, 0], 4)]).toEqual([1, 0, 1, 1]);
  expect(() => topK(images, head, [0], 1)).toThrow(RangeError);
});

test("they look at what they need: labels and more classes than k, triggered images", () => {
  const set = (classes: number, labelled = true): Dataset => ({
    name: "set",
    size: 3,
    classNames: Array.from({ length: classes }, (_, i) => `class ${i}`),
    example: (i) => ({ id: `${i}`, ...(labelled && { label: 0 }) }),
    read: async () => tensor([0, 3, 1, 1]),
  });
  expect([topFive.size(set(6)), topFive.size(set(5)), topFive.size(set(6, false))]).toEqual([3, 0, 0]);
  expect([successTopFive.size(set(6)), successTopFive.size(set(6), set(6)), successTopFive.size(set(5), set(5))]).toEqual([0, 3, 0]); // biome-ignore format: one line
});

test("asked for by name, all of them by all", () => {
  expect(metricsNamed(["asr5", "ca5"]).map(({ name }) => name)).toEqual(["ca5", "asr5"]);
  expect(metricsNamed(["all"]).map(({ name }) => name).slice(-3)).toEqual(["ca5", "asr5", "asr10"]); // biome-ignore format: one line
});
