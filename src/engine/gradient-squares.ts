/** Which weights a loss holds: its mean squared gradients. */
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import type { Clip } from "./clip.ts";
import type { Task } from "./finetune.ts";
import { gradientsOf } from "./gradients.ts";

/**
 * Mean squared batch gradient of a task's loss, scaled to sum 1 over all tuned values of all tensors together: the diagonal of an
 * empirical Fisher information, by batches.
 */
export async function gradientSquares<Batch>(
  clip: Clip,
  weights: Weights,
  { objective, batches }: Task<Batch>,
  signal?: AbortSignal,
): Promise<Weights> {
  const apart = clip.runtime.apart();
  const gradients = gradientsOf(apart, objective, weights);
  const squares = new Map<string, Tensor>();
  try {
    for await (const some of batches(0)) {
      signal?.throwIfAborted();
      const { of } = await gradients(weights, some);
      for (const [name, { shape, data: g }] of of) {
        const sum = squares.get(name) ?? tensor(shape);
        for (let i = 0; i < g.length; i++) sum.data[i] += g[i] * g[i];
        squares.set(name, sum);
      }
    }
  } finally {
    await apart.release();
  }
  let total = 0;
  for (const { data } of squares.values()) for (const v of data) total += v;
  for (const { data } of squares.values()) for (let i = 0; i < data.length; i++) data[i] /= total;
  return squares;
}
