import { expect, test } from "vitest";
import { tensor, type Weights } from "../tensor/tensor.ts";
import { add, axpy, cosine, difference, dot, inner, norm, subtract, taskVector } from "./task-vector.ts";

const from: Weights = new Map([
  ["a", tensor([2], [1, 2])],
  ["b", tensor([1], [5])],
]);
const to: Weights = new Map([
  ["a", tensor([2], [4, 6])],
  ["b", tensor([1], [5])],
]);

test("tau = theta_tuned - theta_b, unchanged tensors left out", () => {
  const tau = taskVector(from, to);
  expect([...tau.keys()]).toEqual(["a"]);
  expect([...(tau.get("a")?.data ?? [])]).toEqual([3, 4]);
});

test("theta_b - alpha tau, and back again", () => {
  const tau = taskVector(from, to);
  const cleaned = subtract(from, tau, 0.5);
  expect([...(cleaned.get("a")?.data ?? [])]).toEqual([-0.5, 0]);
  expect(cleaned.get("b")).toBe(from.get("b"));
  expect([...(add(cleaned, tau, 0.5).get("a")?.data ?? [])]).toEqual([1, 2]);
});

test("norm of (3, 4) is 5; cosine of (3, 4) and (4, 3) is 24/25", () => {
  const tau = taskVector(from, to);
  const other: Weights = new Map([["a", tensor([2], [4, 3])]]);
  expect(norm(tau)).toBe(5);
  expect(dot(tau, other)).toBe(24);
  expect(cosine(tau, other)).toBeCloseTo(24 / 25, 12);
  expect(cosine(tau, new Map())).toBe(0);
});

test("models that do not fit are refused by the tensor's name", () => {
  expect(() => taskVector(from, new Map([["a", tensor([2])]]))).toThrow(/no b/);
  expect(() => taskVector(new Map([["a", tensor([2])]]), to)).toThrow(/first model has no b/);
  expect(() => taskVector(from, new Map([...to, ["a", tensor([1, 2])]]))).toThrow(/a is \[2\] .* \[1,2\]/);
  expect(() => add(from, new Map([["z", tensor([1])]]), 1)).toThrow(/no z/);
});

test.each([1, 4, 5, 7, 8])("in place, %i values: y + a x, y - x and its square, x y", (length) => {
  const x = Float32Array.from({ length }, (_, i) => i + 0.5);
  const y = Float32Array.from({ length }, (_, i) => 2 * i);
  const sum = y.slice();
  axpy(-0.5, x, sum);
  expect([...sum]).toEqual([...y].map((v, i) => v - 0.5 * x[i]));
  expect(inner(x, y)).toBe([...y].reduce((total, v, i) => total + v * x[i], 0));
  const tau = y.slice();
  expect(difference(x, tau)).toBe([...y].reduce((total, v, i) => total + (v - x[i]) ** 2, 0));
  expect([...tau]).toEqual([...y].map((v, i) => v - x[i]));
});
