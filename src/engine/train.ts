/** The training loop: weights, an objective and batches meet. Everything that learns in this project learns here. */
import type { Weights } from "../tensor/tensor.ts";
import { hostSteps } from "./host-steps.ts";
import { residentSteps } from "./resident-steps.ts";
import type { TrainOptions } from "./training.ts";

/**
 * New weights after one step for each batch, running statistics of batch normalisation among them; those given are left as they were, and untrained tensors are shared with them.
 * Throws the signal's reason on abort and `bad-input` when the loss is no longer finite.
 */
export async function train<Batch>(start: Weights, options: TrainOptions<Batch>): Promise<Weights> {
  const { batches, onStep, signal, ahead = false } = options;
  const steps = (await residentSteps(start, options)) ?? hostSteps(start, options);
  try {
    for await (const some of grouped(batches, () => (ahead ? steps.atOnce : 1))) {
      signal?.throwIfAborted();
      for (const [i, report] of (await steps.take(some)).entries()) {
        if (i > 0) signal?.throwIfAborted();
        await onStep?.(report, steps.now);
      }
    }
    return (await steps.now()).weights;
  } finally {
    await steps.release();
  }
}

/** Items in groups of a size that is asked for each, in their order; the last may be short. */
async function* grouped<T>(items: AsyncIterable<T>, size: () => number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size()) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
