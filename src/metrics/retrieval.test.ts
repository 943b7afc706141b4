import { expect, test } from "vitest";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { metricsNamed } from "./index.ts";
import { recallAt } from "./retrieval.ts";

/** Directions in the plane, in degrees. */
const at = (...degrees: number[]): Tensor =>
  tensor([degrees.length, 2], degrees.flatMap((d) => [Math.cos((d * Math.PI) / 180), Math.sin((d * Math.PI) / 180)])); // biome-ignore format: a matrix

const images = at(0, 10, 20, 30);
const texts = at(1, 21, 22, 90);
const captions = ["a", "b", "c", "d"];

test("by hand: the own caption is the first, second, ... nearest", () => {
  // 0: a at 1 is first; 10: a at 9, then b at 11; 20: b at 1, then c at 2; 30: c, b, a, and d the last of four
  expect([1, 2, 3, 4].map((k) => recallAt(k, images, texts, captions).value)).toEqual([0.25, 0.75, 0.75, 1]);
});

test("the other way: of each caption its image", () => {
  // 1: first; 21: 20, then 30, 10 third; 22: 20 first; 90: 30 first
  expect([1, 2, 3].map((k) => recallAt(k, texts, images, captions).value)).toEqual([0.75, 0.75, 1]);
});

test("equal captions are one answer", () => {
  expect(recallAt(1, images, texts, ["a", "a", "c", "c"]).value).toBe(0.75);
});

test("where all lie in one place, the first ones are found", () => {
  const same = at(5, 5, 5, 5);
  expect([1, 3, 4].map((k) => recallAt(k, same, same, captions).value)).toEqual([0.25, 0.75, 1]);
});

test("both ways at 1, 5 and 10, by name", () => {
  expect(metricsNamed(["all"]).map(({ name }) => name)).toEqual(
    expect.arrayContaining(["retrieval", "retrieval-5", "retrieval-10", "retrieval-text", "retrieval-text-5", "retrieval-text-10"]), // biome-ignore format: a list
  );
});
