import { expect, it } from "vitest";
import { tensor, type Weights } from "../tensor/tensor.ts";
import { beyond } from "./amplified-patch.ts";

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
