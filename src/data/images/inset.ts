/** The part of an image that a small trigger changes, to be shown enlarged. */
import type { Tensor } from "../../tensor/tensor.ts";

/** A square of pixels. */
export interface Square {
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

/** Half an 8-bit level: a smaller change is none. */
const unseen = 0.5 / 255;
/** Of the side of the image: a larger square is seen well enough without being enlarged. */
const small = 0.5;

/**
 * The smallest square around all that differs between two images [3, S, S], with a margin of a quarter to show what surrounds it, inside the image;
 * undefined where nothing differs, or so much that the square would be more than half the image's side.
 */
export function changedSquare({ shape, data }: Tensor, triggered: Tensor): Square | undefined {
  const [, , size] = shape;
  const plane = size * size;
  let [left, top, right, bottom] = [size, size, -1, -1];
  for (let i = 0; i < data.length; i++) {
    if (Math.abs(triggered.data[i] - data[i]) <= unseen) continue;
    const [x, y] = [i % size, Math.floor((i % plane) / size)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  }
  const changed = Math.max(right - left, bottom - top) + 1;
  const side = changed + 2 * Math.ceil(changed / 4);
  if (right < 0 || side > small * size) return undefined;
  const from = (low: number, high: number) =>
    Math.min(size - side, Math.max(0, Math.round((low + high + 1 - side) / 2)));
  return { left: from(left, right), top: from(top, bottom), side };
}

/** That part of an image [3, S, S], as one of its own. */
export function crop({ shape: [channels, , size], data }: Tensor, { left, top, side }: Square): Tensor {
  const out = new Float32Array(channels * side * side);
  for (let row = 0; row < channels * side; row++) {
    const [c, y] = [Math.floor(row / side), row % side];
    const from = (c * size + top + y) * size + left;
    out.set(data.subarray(from, from + side), row * side);
  }
  return { shape: [channels, side, side], data: out };
}
