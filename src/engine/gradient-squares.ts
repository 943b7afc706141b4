/** Which weights a loss holds: its mean squared gradients. */
import type { Dataset } from "../data/dataset.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import type { Clip } from "./clip.ts";
import { gradientsOf } from "./gradients.ts";
import { classification } from "./objectives.ts";
import { labelled } from "./tasks.ts";

/**
 * Mean squared batch gradient of the loss on labelled images, scaled to sum 1 over all tuned values of all tensors together:
 * the diagonal of an empirical Fisher information, by batches.
 */
export async function gradientSquares(
  clip: Clip,
  weights: Weights,
  dataset: Dataset,
  head: Tensor,
  { batch, seed, signal }: { batch: number; seed: number; signal?: AbortSignal },
): Promise<Weights> {
  const apart = clip.runtime.apart();
  const gradients = gradientsOf(apart, classification(clip.config, clip.preprocess, head), weights);
  const squares = new Map<string, Tensor>();
  try {
    for await (const some of labelled(dataset, { batch, seed, preprocess: clip.preprocess })) {
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
