/** Do two sets of images differ, to a model's eye? */
import { inner } from "../arithmetic/task-vector.ts";
import { type Rate, rate } from "../stats/rate.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Nearest neighbours as a two-sample test (M. Schilling, JASA 81:799-806, 1986; D. Lopez-Paz, M. Oquab, ICLR 2017): how many
 * embeddings have one of their own set nearest to them, by cosine. Of two equally large sets from one distribution it is one half; of
 * sets that lie apart, all. Unit-norm embeddings [N, E] and [M, E]; the larger set is cut to the size of the smaller.
 */
export function ownNeighbours(first: Tensor, second: Tensor): Rate {
  const width = first.shape[1];
  const size = Math.min(first.shape[0], second.shape[0]);
  const row = (i: number) =>
    i < size
      ? first.data.subarray(i * width, (i + 1) * width)
      : second.data.subarray((i - size) * width, (i - size + 1) * width);
  let hits = 0;
  for (let i = 0; i < 2 * size; i++) {
    let nearest = -1;
    let highest = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < 2 * size; j++) {
      const cosine = i === j ? Number.NEGATIVE_INFINITY : inner(row(i), row(j));
      if (cosine > highest) [nearest, highest] = [j, cosine];
    }
    if (nearest >= 0 && nearest < size === i < size) hits++;
  }
  return rate(hits, 2 * size);
}
