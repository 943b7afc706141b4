import { expect, test } from "vitest";
import type { Tensor } from "../../tensor/tensor.ts";
import { changedSquare, crop } from "./inset.ts";

const blank = (size: number): Tensor => ({ shape: [3, size, size], data: new Float32Array(3 * size * size) });

/** Changed at [channel, x, y]. */
function changed(size: number, ...places: readonly (readonly [number, number, number])[]): Tensor {
  const image = blank(size);
  for (const [c, x, y] of places) image.data[(c * size + y) * size + x] = 0.5;
  return image;
}

test("the square holds all that differs, in any channel, with a margin, and stays inside", () => {
  const of = (...places: Parameters<typeof changed>[1][]) => changedSquare(blank(32), changed(32, ...places));
  expect(of([0, 10, 20], [2, 13, 21])).toEqual({ left: 9, top: 18, side: 6 });
  expect(of([1, 31, 31], [1, 28, 28])).toEqual({ left: 26, top: 26, side: 6 });
  expect(of([0, 0, 0])).toEqual({ left: 0, top: 0, side: 3 });
});

test("no square where nothing differs, less than the eye sees, or much", () => {
  expect(changedSquare(blank(32), blank(32))).toBeUndefined();
  const faint = blank(32);
  faint.data[5] = 0.4 / 255;
  expect(changedSquare(blank(32), faint)).toBeUndefined();
  expect(changedSquare(blank(32), changed(32, [0, 0, 0], [0, 20, 3]))).toBeUndefined();
});

test("a crop has the pixels of its square, channel by channel", () => {
  const size = 4;
  const image: Tensor = { shape: [3, size, size], data: Float32Array.from({ length: 48 }, (_, i) => i) };
  expect(crop(image, { left: 1, top: 2, side: 2 })).toEqual({
    shape: [3, 2, 2],
    data: Float32Array.from([9, 10, 13, 14, 25, 26, 29, 30, 41, 42, 45, 46]),
  });
});
