/** The training loop: weights, an objective and batches meet. Everything that learns in this project learns here. */
import type { Optimizer, OptimizerState } from "../optim/optimizer.ts";
import { clipFactor, type Schedule } from "../optim/schedule.ts";
import type { Runtime } from "../runtime/compile.ts";
import { badInput } from "../tensor/error.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import { copyTensor, gradientsOf, type Objective } from "./gradients.ts";

export interface StepReport {
  /** Counted from 1. */
  readonly step: number;
  readonly loss: number;
  /** L2 norm of the whole gradient before clipping. */
  readonly gradientNorm: number;
  readonly lr: number;
}

export interface TrainOptions<Batch> {
  readonly runtime: Runtime;
  readonly objective: Objective<Batch>;
  /** One training step for each; a short last batch is a program of its own. */
  readonly batches: AsyncIterable<Batch>;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  /** Clip the gradient to this norm. */
  readonly clip?: number;
  /** Continue from here: `state` is changed in place. */
  readonly state?: OptimizerState;
  readonly onStep?: (report: StepReport, weights: Weights, state: OptimizerState) => void | Promise<void>;
  readonly signal?: AbortSignal;
  /** Called on the weights after each update, to hold one in its range (CLIP clamps its logit scale). */
  readonly constrain?: (weights: Weights) => void;
}

/** Throws `bad-input` where a state that was read from a file lacks what the optimiser remembers. */
function checkMoments({ moments }: OptimizerState, gradients: Weights): void {
  const kinds = Object.values(moments);
  const lacking = [...gradients.keys()].find((name) => kinds.length === 0 || kinds.some((of) => !of.has(name)));
  if (lacking !== undefined) throw badInput(`the state of this training has no moments of ${lacking}; remove it`);
}

/**
 * New weights after one step for each batch, running statistics of batch normalisation among them; those given are left as they were, and untrained tensors are shared with them.
 * Throws the signal's reason on abort and `bad-input` when the loss is no longer finite.
 */
export async function train<Batch>(start: Weights, options: TrainOptions<Batch>): Promise<Weights> {
  const { runtime, objective, optimizer, schedule, clip, onStep, signal, constrain } = options;
  const trained = [...start].filter(([name]) => objective.trains(name));
  const own: [string, Tensor][] = trained.map(([name, value]) => [name, copyTensor(value)]);
  const weights = new Map<string, Tensor>([...start, ...own]);
  const state = options.state ?? optimizer.init(new Map(own));
  const apart = runtime.apart(); // what a step needs is more than all that comes after it
  const gradients = gradientsOf(apart, objective, weights, "training");

  try {
    for await (const batch of options.batches) {
      signal?.throwIfAborted();
      const { loss, norm, of, statistics } = await gradients(weights, batch);
      if (!Number.isFinite(loss) || !Number.isFinite(norm))
        throw badInput(`training diverged at step ${state.step + 1} (loss ${loss}); a smaller learning rate helps`);
      if (options.state !== undefined) checkMoments(state, of);
      const lr = schedule(state.step);
      optimizer.update(weights, of, state, lr, clipFactor(norm, clip));
      for (const [name, value] of statistics) weights.set(name, value);
      constrain?.(weights);
      await onStep?.({ step: state.step, loss, gradientNorm: norm, lr }, weights, state);
    }
    return weights;
  } finally {
    await apart.release();
  }
}
