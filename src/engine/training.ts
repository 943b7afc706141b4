/** What a training is made of, and what takes its steps. */
import type { Optimizer, OptimizerState } from "../optim/optimizer.ts";
import type { Schedule } from "../optim/schedule.ts";
import type { Runtime } from "../runtime/compile.ts";
import { badInput } from "../tensor/error.ts";
import type { Weights } from "../tensor/tensor.ts";
import type { Objective } from "./gradients.ts";

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
  /** `now` gives weights and state as they are; on a device that keeps them they are fetched when it is asked. */
  readonly onStep?: (report: StepReport, now: () => Promise<Learned>) => void | Promise<void>;
  readonly signal?: AbortSignal;
  /** Called on the weights after each update, to hold one in its range (CLIP clamps its logit scale). */
  readonly constrain?: Constraint;
  /** Batches do not wait for `onStep`: a device that takes several steps at once may ask for as many beforehand. */
  readonly ahead?: boolean;
}

/** Changes weights in place: those named in `of`, or else any of them. */
export type Constraint = ((weights: Weights) => void) & { readonly of?: readonly string[] };

export interface Learned {
  readonly weights: Weights;
  readonly state: OptimizerState;
}

/** What takes steps of a training, wherever weights and moments lie. */
export interface Stepper<Batch> {
  /** So many batches at once are best, as far as is known by now. */
  readonly atOnce: number;
  /** A step for each. Throws `bad-input` when the loss is no longer finite. */
  take(batches: readonly Batch[]): Promise<StepReport[]>;
  now(): Promise<Learned>;
  release(): Promise<void>;
}

/** Throws `bad-input` when the loss or the gradient is no longer finite. */
export function checkConverging(step: number, loss: number, norm: number): void {
  if (!Number.isFinite(loss) || !Number.isFinite(norm))
    throw badInput(`training diverged at step ${step} (loss ${loss}); a smaller learning rate helps`);
}

/** Throws `bad-input` where a state that was read from a file lacks what the optimiser remembers. */
export function checkMoments({ moments }: OptimizerState, trained: readonly string[]): void {
  const kinds = Object.values(moments);
  const lacking = trained.find((name) => kinds.length === 0 || kinds.some((of) => !of.has(name)));
  if (lacking !== undefined) throw badInput(`the state of this training has no moments of ${lacking}; remove it`);
}
