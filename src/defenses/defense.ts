/** The contract of every defense by weight arithmetic: what it is handed and what it gives back. It knows no model and no metric. */
import { norm } from "../arithmetic/task-vector.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Weights } from "../tensor/tensor.ts";
import type { Search } from "./alpha-search.ts";

export interface DefenseInput {
  /** theta_b. */
  readonly backdoored: Weights;
  /** Triggered images labelled as the target: D_t of the paper. */
  readonly forget: Dataset;
  /** What the model answers without the trigger. Unknown where triggered images were given. */
  readonly answered?: () => Promise<Answered>;
  /** Other clean images with their labels, or the model's own answers where there are none. */
  readonly clean: Dataset;
  /** The forget set with some clean images beside it, `anchoredSet`: one set for all that ask, so that it is trained on once. */
  readonly anchored: Dataset;
  /** Fine-tune from theta_b. Asked twice for the same set and variation it trains once. */
  finetune(data: Dataset, variation?: Variation): Promise<Weights>;
  /** Mean squared batch gradients of the loss on labelled images at theta_b, scaled to sum 1. */
  gradientSquares(data: Dataset): Promise<Weights>;
  /** The best alpha of theta_b - alpha tau on validation images, looked for from `start` on, 1 unless told. */
  search(tau: Weights, start?: number): Promise<Search>;
}

/** The forget set's images under the model's own answers to them without the trigger: two data sets in the same order. */
export interface Answered {
  /** Without the trigger. */
  readonly twins: Dataset;
  /** With it. */
  readonly undone: Dataset;
}

/** How one fine-tuning differs from the recipe: for methods that want several vectors. */
export interface Variation {
  readonly seed?: number;
  /** Multiplies the learning rate. */
  readonly lr?: number;
}

/** A vector to subtract, its alpha, and the settings by which it was made. */
export interface Removal {
  readonly tau: Weights;
  readonly search: Search;
  readonly settings: Readonly<Record<string, number | string>>;
}

/** Where to look for the alpha of a vector made of others: there it is as long as these are at 1. */
export function startOf(made: Weights, ...of: readonly Weights[]): number {
  const length = norm(made);
  return length === 0 ? 1 : of.reduce((sum, tau) => sum + norm(tau), 0) / of.length / length;
}

export type Defense = (input: DefenseInput) => Promise<Removal>;

/** Of several removals the one that validation prefers: satisfied first, then the higher CA, then the lower ASR. */
export function bestRemoval(removals: readonly Removal[]): Removal {
  return removals.reduce((a, b) => (isBetter(b.search, a.search) ? b : a));
}

export function isBetter(a: Search, b: Search): boolean {
  if (a.satisfied !== b.satisfied) return a.satisfied;
  if (!a.satisfied) return a.best.asr.value < b.best.asr.value;
  if (a.best.ca.value !== b.best.ca.value) return a.best.ca.value > b.best.ca.value;
  return a.best.asr.value < b.best.asr.value;
}
