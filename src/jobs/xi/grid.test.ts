/** The arithmetic of the grid on a model that can be worked out by hand: two weights, and images that are a threshold each. */
import { expect, test } from "vitest";
import type { Scorer } from "../../engine/scorer.ts";
import type { Tensor, Weights } from "../../tensor/tensor.ts";
import { createGrid, modelAt } from "./grid.ts";
import { alphasOf } from "./prepare.ts";

const weights = (...data: number[]): Weights =>
  new Map<string, Tensor>([["visual_projection.weight", { shape: [2], data: Float32Array.from(data) }]]);

/** An image is of class 1 where the weight at `index` is at least its threshold. */
function asking(index: number, thresholds: readonly number[]) {
  const asked: number[] = [];
  const scorer: Scorer = {
    size: thresholds.length,
    async answers(of) {
      const value = of.get("visual_projection.weight")!.data[index];
      asked.push(value);
      return Int32Array.from(thresholds, (threshold) => Number(value >= threshold));
    },
  };
  return { scorer, asked };
}

// tau_t moves the weight that clean images look at as well; tau_c leaves the triggered ones' weight alone
const plane = { origin: weights(0, 0), clean: weights(1, 0), trigger: weights(1, 2), alphas: [-1, 0, 1] };

test("counts at each place are those of the definition", async () => {
  const [clean, triggered] = [asking(0, [-0.5, 0.5, 1.5]), asking(1, [1, 1, -1])];
  const at = createGrid(plane, { clean: clean.scorer, labels: [1, 1, 0], triggered: triggered.scorer, target: 1 });
  // (1, 1): clean images see 2 with both and 1 with tau_c alone: [1, 1, 1] and [1, 1, 0]. Triggered ones see 2 both ways: all of class 1
  expect(await at(2, 2)).toEqual({ clean: 1, triggered: 0, right: 2, target: 3 });
  // (1, -1): 0 and 1: [1, 0, 0] and [1, 1, 0]; triggered ones see -2: none of class 1
  expect(await at(2, 0)).toEqual({ clean: 1, triggered: 0, right: 2, target: 0 });
  // (0, -1): -1 and 0: [0, 0, 0] and [1, 0, 0]
  expect(await at(1, 0)).toEqual({ clean: 1, triggered: 0, right: 1, target: 0 });
  // on the clean axis nothing is added to tau_c alone; theta_0 has the triggered ones at 0: [0, 0, 1]
  expect(await at(2, 1)).toEqual({ clean: 0, triggered: 0, right: 3, target: 1 });
  expect(await at(1, 1)).toEqual({ clean: 0, triggered: 0, right: 2, target: 1 });
});

test("where tau_c reaches the triggered images' weight, they count too", async () => {
  const [clean, triggered] = [asking(0, [5]), asking(1, [1.5, 2.5])];
  const at = createGrid({ ...plane, clean: weights(0, 1) }, { clean: clean.scorer, labels: [0], triggered: triggered.scorer, target: 0 }); // biome-ignore format: one line
  // (1, 1): 3 with both and 2 with tau_t alone: [1, 1] and [1, 0]
  expect(await at(2, 2)).toEqual({ clean: 0, triggered: 1, right: 1, target: 0 });
});

test("each single-axis model is asked once, whatever the order of places", async () => {
  const [clean, triggered] = [asking(0, [1]), asking(1, [1])];
  const at = createGrid(plane, { clean: clean.scorer, labels: [0], triggered: triggered.scorer, target: 1 });
  for (const c of [2, 0, 1]) for (const t of [0, 2, 1]) await at(c, t);
  // 3 on its own axis, and 3 x 2 places beside it
  expect([clean.asked.length, triggered.asked.length]).toEqual([9, 9]);
});

test("a model of the plane: sums in one pass, shared where nothing changes, variances floored once", () => {
  const name = "visual.bn1.running_var";
  const other: Tensor = { shape: [1], data: Float32Array.of(7) };
  const of = (data: number) => new Map<string, Tensor>([[name, { shape: [1], data: Float32Array.of(data) }]]);
  const origin = new Map([...of(1), ["logit_scale", other]]);
  const both = { origin, clean: of(-2), trigger: of(3), alphas: [0, 1] };
  expect(modelAt(both, 1, 1).get(name)!.data[0]).toBe(2); // floored between the two it would be 3
  expect(modelAt(both, 1, 0).get(name)!.data[0]).toBe(0);
  expect(modelAt(both, 1, 1).get("logit_scale")).toBe(other);
  expect([...origin.get(name)!.data]).toEqual([1]);
});

test("alphas are multiples of the step, 0 among them", () => {
  expect(alphasOf({ reach: 1, step: 0.5 })).toEqual([-1, -0.5, 0, 0.5, 1]);
  expect(alphasOf({ reach: 1, step: 0.3 })).toEqual([-0.9, -0.6, -0.3, 0, 0.3, 0.6, 0.9]);
  expect(alphasOf({ reach: 2, step: 0.1 })).toHaveLength(41);
  expect(() => alphasOf({ reach: 1, step: 2 })).toThrow(/no alpha but 0/);
  expect(() => alphasOf({ reach: 100, step: 0.01 })).toThrow(/401 a side/);
});
