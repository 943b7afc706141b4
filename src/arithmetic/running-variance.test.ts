import { expect, test } from "vitest";
import { tensor, type Weights } from "../tensor/tensor.ts";
import { asSubtracted, flooredVariances } from "./running-variance.ts";
import { add, subtract } from "./task-vector.ts";

const name = "visual.bn1.running_var";
const weights: Weights = new Map([
  [name, tensor([3], [1, 2, 0])],
  ["visual.bn1.running_mean", tensor([3], [1, 2, 0])],
]);
const tau: Weights = new Map([
  [name, tensor([3], [1, 0.5, 0])],
  ["visual.bn1.running_mean", tensor([3], [1, 0.5, 0])],
]);

test("a running variance that alpha tau takes below zero is zero, and counted; a mean may be negative", () => {
  const cleaned = subtract(weights, tau, 2);
  expect([...(cleaned.get(name)?.data ?? [])]).toEqual([0, 1, 0]);
  expect([...(cleaned.get("visual.bn1.running_mean")?.data ?? [])]).toEqual([-1, 1, 0]);
  expect(flooredVariances(weights, cleaned)).toBe(1);
  expect(flooredVariances(weights, subtract(weights, tau, 0.5))).toBe(0);
});

test("the vector as it was subtracted leads back: after + alpha tau = before", () => {
  const cleaned = subtract(weights, tau, 2);
  const back = add(cleaned, asSubtracted(tau, weights, cleaned, 2), 2);
  for (const [of, { data }] of weights) expect([...(back.get(of)?.data ?? [])]).toEqual([...data]);
  expect(back.get(name)?.data[0]).not.toBe(add(cleaned, tau, 2).get(name)?.data[0]);
});
