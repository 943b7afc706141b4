/** Merging by hand-made numbers, and against PyTorch (scripts/golden/merging.py prints the numbers). */
import { describe, expect, test } from "vitest";
import { tensor, type Weights } from "../tensor/tensor.ts";
import { taskArithmetic, ties, trimmingThreshold } from "./merge.ts";

const weights = (parts: Readonly<Record<string, readonly number[]>>): Weights =>
  new Map(Object.entries(parts).map(([name, values]) => [name, tensor([values.length], values)]));
const values = (of: Weights, name: string) => [...(of.get(name)?.data ?? [])];

describe("theta_0 + lambda sum_t tau_t", () => {
  const base = weights({ a: [1, 2], b: [5], c: [7] });

  test("by hand, a tensor that a vector leaves out being zero in it", () => {
    const sum = taskArithmetic(base, [weights({ a: [2, 4] }), weights({ a: [-6, 4], b: [3] })], 0.5);
    expect(values(sum, "a")).toEqual([1 + 0.5 * (2 - 6), 2 + 0.5 * (4 + 4)]);
    expect(values(sum, "b")).toEqual([6.5]);
    expect(sum.get("c")).toBe(base.get("c"));
    expect(values(base, "a")).toEqual([1, 2]);
  });

  test("of one vector at lambda 1 is the child", () => {
    expect(values(taskArithmetic(base, [weights({ a: [2, 4] })], 1), "a")).toEqual([3, 6]);
  });

  test("leaves no running variance below 0", () => {
    const variance = weights({ "bn1.running_var": [1, 1] });
    const sum = taskArithmetic(variance, [weights({ "bn1.running_var": [-9, 2] })], 0.5);
    expect(values(sum, "bn1.running_var")).toEqual([0, 2]);
  });

  test("vectors of another model are refused by the tensor's name", () => {
    expect(() => taskArithmetic(base, [weights({ z: [1] })], 1)).toThrow(/no z/);
    expect(() => ties(base, [weights({ a: [1] })])).toThrow(/a is \[2\] in the base and \[1\]/);
  });
});

describe("TIES: trim, elect sign, disjoint mean", () => {
  const base = weights({ a: [0, 0, 0, 0], b: [10] });
  // Half of 5 values, rounded: the 3 largest, whichever tensor they are in.
  const first = weights({ a: [5, -1, 4, 0.5], b: [6] });
  const second = weights({ a: [-2, -8, 6, 0.1], b: [-7] });

  test("by hand: the minority and what was trimmed take no part in the mean", () => {
    const sum = ties(base, [first, second], { density: 0.5 });
    // 5 alone (-2 was trimmed); -8 alone; 4 and 6 agree; both trimmed.
    expect(values(sum, "a")).toEqual([5, -8, 5, 0]);
    // 6 against -7: the sum is negative, so 6 is left out.
    expect(values(sum, "b")).toEqual([3]);
  });

  test("lambda scales; the sum takes the mean's place where asked", () => {
    expect(values(ties(base, [first, second], { density: 0.5, lambda: 0.5 }), "a")).toEqual([2.5, -4, 2.5, 0]);
    expect(values(ties(base, [first, second], { density: 0.5, combine: "sum" }), "a")).toEqual([5, -8, 10, 0]);
  });

  test("values that cancel elect no sign", () => {
    const vectors = [weights({ b: [3] }), weights({ b: [-3] })];
    expect(values(ties(base, vectors, { density: 1 }), "b")).toEqual([10]);
  });

  test("the sign is that of the sum, not of the majority", () => {
    const vectors = [weights({ b: [1] }), weights({ b: [1] }), weights({ b: [-3] })];
    expect(values(ties(base, vectors, { density: 1 }), "b")).toEqual([7]);
  });

  test("parts of vectors merge as the whole does, given the whole's thresholds", () => {
    const thresholds = [first, second].map((tau) => trimmingThreshold(tau, 0.5));
    const b = [first, second].map((tau) => new Map([["b", tau.get("b")!]]));
    expect(values(ties(base, b, { thresholds }), "b")).toEqual([3]);
    expect(values(ties(base, b, { density: 0.5, combine: "sum", thresholds }), "b")).toEqual([3]);
  });

  test("the defaults are the paper's: density 0.2, lambda 1, mean", () => {
    const vectors = [first, second];
    expect(ties(base, vectors)).toEqual(ties(base, vectors, { density: 0.2, lambda: 1, combine: "mean" }));
    expect(values(ties(base, vectors), "a")).toEqual([0, -8, 0, 0]);
  });
});

describe("trimming keeps the largest magnitudes of the whole vector", () => {
  const sorted = (tau: Weights) =>
    [...tau.values()].flatMap(({ data }) => [...data].map(Math.abs)).sort((a, b) => b - a);

  test.each([0.001, 0.1, 0.2, 0.5, 0.77, 1])("share %d: the n-th largest, as sorting finds it", (density) => {
    const tau = weights({ a: draws(5, 700), b: draws(6, 300).map((v) => v * 1e-4), c: [0, -0, 1e-42, -3e38] });
    expect(trimmingThreshold(tau, density)).toBe(sorted(tau)[Math.max(1, Math.round(density * 1004)) - 1]);
  });

  test("of equal magnitudes all stay, of a vector of noughts nothing matters, outside (0, 1] is refused", () => {
    expect(trimmingThreshold(weights({ a: [2, -2, 2, 1] }), 0.25)).toBe(2);
    expect(trimmingThreshold(weights({ a: [0, 0] }), 0.5)).toBe(0);
    expect(trimmingThreshold(new Map(), 0.5)).toBe(0);
    for (const density of [0, 1.1, -1, Number.NaN]) {
      expect(() => trimmingThreshold(weights({ a: [1] }), density)).toThrow(/above 0 and at most 1/);
    }
  });

  test("a tensor that is a view into a larger buffer counts by itself", () => {
    const data = Float32Array.of(99, 1, 3, 99).subarray(1, 3);
    expect(trimmingThreshold(new Map([["a", { shape: [2], data }]]), 0.5)).toBe(3);
  });
});

describe("against PyTorch: 15 values in two tensors, three vectors, the third without the second tensor", () => {
  const part = (seed: number) => {
    const drawn = draws(seed, 15);
    return weights({ w: drawn.slice(0, 12), b: drawn.slice(12) });
  };
  const base = part(1);
  const vectors = [part(2), part(3), new Map([["w", part(4).get("w")!]])];
  // biome-ignore format: as printed
  const cases: readonly (readonly [string, Weights, readonly number[]])[] = [
    ["task arithmetic, lambda 0.3", taskArithmetic(base, vectors, 0.3),
      [-0.262084618, -0.456318849, 0.649143554, -1.64416635, -1.50438389, -0.380218583, 0.066505444, -1.84303343, -0.262724176, -1.40536746, -0.0106038004, 0.182118085, 0.144883206, 1.25218246, 0.830834433]],
    ["ties, density 0.4, lambda 1, mean", ties(base, vectors, { density: 0.4 }),
      [-0.931983382, -0.844669025, 0.66193068, -1.72342308, -1.5723069, -0.762398474, -0.630804926, -1.93841451, -0.932674795, -1.59894657, -0.165028051, -0.505818278, 0.177953288, 0.860872984, 0.692333758]],
    ["ties, density 0.75, lambda 0.3, sum", ties(base, vectors, { density: 0.75, lambda: 0.3, combine: "sum" }),
      [-0.442692101, -0.491268318, 0.556247514, -1.64416635, -1.50438389, -0.43367893, 0.0503676653, -1.84303343, -0.443020523, -1.40536746, 0.0359551102, 0.109736323, -0.0152747482, 1.25218246, 0.692333758]],
  ];

  test.each(cases)("%s", (_, sum, expected) => {
    const found = [...values(sum, "w"), ...values(sum, "b")];
    found.forEach((value, i) => {
      expect(Math.abs(value - expected[i])).toBeLessThan(2e-7); // float32 against nine digits
    });
  });
});

/** x -> 16807 x mod (2^31 - 1), value = x / 2^30 - 1, the first ten left out; the script makes the same. */
function draws(seed: number, count: number): number[] {
  let x = seed;
  const all = Array.from({ length: count + 10 }, () => {
    x = (16807 * x) % (2 ** 31 - 1);
    return x / 2 ** 30 - 1;
  });
  return all.slice(10);
}
