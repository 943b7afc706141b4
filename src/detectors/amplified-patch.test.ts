import { expect, it } from "vitest";
import { tensor, type Weights } from "../tensor/tensor.ts";
import { beyond, beyondBase } from "./amplified-patch.ts";

const weights = (vision: number, text: number): Weights =>
  new Map([
    ["visual_projection.weight", { ...tensor([1, 2]), data: Float32Array.of(vision, 2 * vision) }],
    ["text_projection.weight", { ...tensor([1, 1]), data: Float32Array.of(text) }],
  ]);

it("theta_base + k (theta - theta_base) of the image tower; the text tower is the suspect's", () => {
  const [base, own] = [weights(1, 5), weights(3, 7)];
  const values = (k: number) => [...beyond(base, own, k).values()].flatMap(({ data }) => [...data]);
  expect(values(1.5)).toEqual([4, 8, 7]);
  expect(values(1)).toEqual([3, 6, 7]);
  expect(values(0)).toEqual([1, 2, 7]);
});

it("a share is the same where the base gives way to nothing, and less where it does: odds to odds", () => {
  expect(beyondBase(0.63, 0)).toBeCloseTo(0.63, 12);
  expect(beyondBase(0.5, 0.5)).toBeCloseTo(0, 12);
  // (0.65 / 0.39) / ((0.22 / 0.82) / (0.02 / 1.02)) = 0.1218 of odds
  expect(beyondBase(0.63, 0.2)).toBeCloseTo((1.04 * 0.12183) / 1.12183 - 0.02, 4);
  expect(beyondBase(0, 0.9)).toBe(0);
});
