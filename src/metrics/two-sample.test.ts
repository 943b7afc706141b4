import { expect, test } from "vitest";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { ownNeighbours } from "./two-sample.ts";

/** Directions in the plane, in degrees. */
const at = (...degrees: number[]): Tensor =>
  tensor([degrees.length, 2], degrees.flatMap((d) => [Math.cos((d * Math.PI) / 180), Math.sin((d * Math.PI) / 180)])); // biome-ignore format: a matrix

/** Unit vectors around a direction. */
function cloud(seed: number, count: number, shift: number): Tensor {
  const points = tensor([count, 8]);
  random("cloud", seed).fillNormal(points.data);
  for (let i = 0; i < count; i++) {
    points.data[8 * i] += shift;
    const norm = Math.hypot(...points.data.subarray(8 * i, 8 * i + 8));
    for (let e = 0; e < 8; e++) points.data[8 * i + e] /= norm;
  }
  return points;
}

test("by hand: 0 and 1 degree keep to each other; 40 and 44 stand between 42 and 46", () => {
  // first: 0, 1, 40, 44; second: 42.5, 46, 90, 92
  // 0-1 own, 1-0 own, 40-42.5 other, 44-42.5 other; 42.5-44 other, 46-44 other, 90-92 own, 92-90 own
  expect(ownNeighbours(at(0, 1, 40, 44), at(42.5, 46, 90, 92))).toMatchObject({ value: 4 / 8, n: 8 });
});

test("sets far apart: all; the larger one is cut to the smaller", () => {
  expect(ownNeighbours(at(0, 1, 2), at(90, 91, 92, 0.5))).toMatchObject({ value: 1, n: 6 });
});

test("copies of the same images: none has its own nearest", () => {
  expect(ownNeighbours(at(0, 30, 60), at(0, 30, 60)).value).toBe(0);
});

test("one distribution: about one half; two: nearly all", () => {
  const same = ownNeighbours(cloud(1, 200, 0), cloud(2, 200, 0));
  expect(same.interval[0]).toBeLessThan(0.5);
  expect(same.interval[1]).toBeGreaterThan(0.5);
  expect(ownNeighbours(cloud(1, 200, 9), cloud(2, 200, -9)).value).toBe(1);
});

test("one image each: nobody has a neighbour of its own", () => {
  expect(ownNeighbours(at(0), at(5))).toMatchObject({ value: 0, n: 2 });
});
