/** Training images seen anew each time: a part of each, enlarged, and mirrored, as is usual for small photographs. */
import { random } from "../../tensor/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** The smallest part, as a share of the area. */
const leastArea = 0.5;

/**
 * Of each image [3, S, S] of a batch a square of half to all of its area (Szegedy et al., arXiv 1409.4842, with less to lose), enlarged
 * to S by bilinear interpolation and mirrored with one chance in two; the path and its place in the batch draw which.
 */
export function augment({ shape, data }: Tensor, ...path: readonly (number | string)[]): Tensor {
  const [count, channels, side] = shape;
  const out = new Float32Array(data.length);
  for (let i = 0; i < count; i++) {
    const rng = random(...path, "augment", i);
    const scale = Math.sqrt(leastArea + (1 - leastArea) * rng.uniform());
    const free = side * (1 - scale);
    const rows = places(side, scale, free * rng.uniform());
    const columns = places(side, scale, free * rng.uniform());
    if (rng.int(2) === 1) columns.reverse();
    for (let c = 0; c < channels; c++) {
      const plane = (i * channels + c) * side * side;
      for (let y = 0; y < side; y++) {
        const { from: top, to: bottom, share: down } = rows[y];
        for (let x = 0; x < side; x++) {
          const { from: left, to: right, share: across } = columns[x];
          const above = mix(data[plane + top * side + left], data[plane + top * side + right], across);
          const below = mix(data[plane + bottom * side + left], data[plane + bottom * side + right], across);
          out[plane + y * side + x] = mix(above, below, down);
        }
      }
    }
  }
  return { shape, data: out };
}

const mix = (a: number, b: number, share: number) => a + share * (b - a);

/** Between which two pixels of the image each pixel of the enlarged part lies, and where; the border repeats. */
function places(side: number, scale: number, start: number) {
  return Array.from({ length: side }, (_, x) => {
    const at = Math.min(Math.max(start + (x + 0.5) * scale - 0.5, 0), side - 1);
    const from = Math.floor(at);
    return { from, to: Math.min(from + 1, side - 1), share: at - from };
  });
}
