import { expect, test } from "vitest";
import type { Weights } from "../tensor/tensor.ts";
import { tensor } from "../tensor/tensor.ts";
import { concatRows, type Encoder, finite } from "./encoder.ts";
import { zeroShotHead } from "./zero-shot.ts";

const encoder = {
  texts: async (_: Weights, texts: readonly string[]) =>
    concatRows(texts.map((_, i) => ({ shape: [1, 2], data: Float32Array.of(Math.cos(i), Math.sin(i)) }))),
} as unknown as Encoder;

const headOf = (logScale: number) => {
  const scale = { ...tensor([]), data: Float32Array.of(logScale) };
  return zeroShotHead(encoder, new Map([["logit_scale", scale]]), ["ant", "bee"], ["a {}"]);
};

test("directions are scaled by the exponential of the logit scale", async () => {
  const { data } = await headOf(Math.log(10));
  expect(Math.hypot(data[0], data[1])).toBeCloseTo(10, 4);
  expect(Math.hypot(data[2], data[3])).toBeCloseTo(10, 4);
});

test("a logit scale under which every image would be of the first class is refused", async () => {
  for (const scale of [200, 1000, -200, -1000]) await expect(headOf(scale)).rejects.toThrow(/logit_scale is -?[12]/);
});

test("embeddings that overflowed are refused, as NaN would count as the first class", () => {
  const sound = { shape: [1, 2], data: Float32Array.of(0.6, 0.8) };
  expect(finite(sound, "images")).toBe(sound);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => finite({ shape: [1, 2], data: Float32Array.of(1, bad) }, "images")).toThrow(/images are no finite/);
});
