/** Training images seen anew each time: shifted and mirrored, as is usual for small photographs. */
import { random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Each image [3, S, S] of a batch moved by up to S/8 pixels each way (the border repeats) and mirrored with one chance in two; the path
 * and its place in the batch draw which.
 */
export function augment({ shape, data }: Tensor, ...path: readonly (number | string)[]): Tensor {
  const [count, channels, side] = shape;
  const most = Math.floor(side / 8);
  const out = new Float32Array(data.length);
  const inside = (x: number) => Math.min(Math.max(x, 0), side - 1);
  for (let i = 0; i < count; i++) {
    const rng = random(...path, "augment", i);
    const [down, right] = [rng.int(2 * most + 1) - most, rng.int(2 * most + 1) - most];
    const mirrored = rng.int(2) === 1;
    const columns = Array.from({ length: side }, (_, x) => inside((mirrored ? side - 1 - x : x) + right));
    for (let row = 0; row < channels * side; row++) {
      const [plane, y] = [Math.floor(row / side), row % side];
      const from = ((i * channels + plane) * side + inside(y + down)) * side;
      const to = (i * channels * side + row) * side;
      for (let x = 0; x < side; x++) out[to + x] = data[from + columns[x]];
    }
  }
  return { shape, data: out };
}
