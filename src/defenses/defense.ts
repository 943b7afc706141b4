/** The contract of every defense: what it is handed and what it gives back. It knows no model and no metric. */
import { norm, subtract } from "../arithmetic/task-vector.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Objective } from "../engine/gradients.ts";
import type { LabelBatch } from "../engine/objectives.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
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
  /** The forget set with some clean images beside it: one set for all that ask, so that it is trained on once. */
  readonly anchored: Dataset;
  /** Strengths of Fisher's weighting to try, 300 alone unless told. Told where the trigger only stands for another: then where it acts is what counts. */
  readonly lambdas?: readonly number[];
  /** Fine-tune from theta_b. Asked twice for the same set and variation it trains once. */
  finetune(data: Dataset, variation?: Variation): Promise<Weights>;
  /** Unit-norm image embeddings [N, E] of a set at theta_b. */
  embed(data: Dataset): Promise<Tensor>;
  /** A set under the universal perturbation that these weights fail under most. */
  perturbed(data: Dataset, at: { readonly weights: Weights; readonly seed: number }): Promise<Dataset>;
  /** Mean squared batch gradients of the loss on labelled images at theta_b, scaled to sum 1. */
  gradientSquares(data: Dataset): Promise<Weights>;
  /** The best value of a defense's knob on validation images: of `at(knob)`, looked for from `start` on, 1 unless told. */
  search(at: (knob: number) => Weights, start?: number): Promise<Search>;
}

/** The forget set's images under the model's own answers to them without the trigger: two data sets in the same order. */
export interface Answered {
  /** Without the trigger: the paired clean images. */
  readonly pairs: Dataset;
  /** With it. */
  readonly undone: Dataset;
}

/** How one fine-tuning differs from the recipe. */
export interface Variation {
  readonly seed?: number;
  /** Multiplies the learning rate. */
  readonly lr?: number;
  /** Where it begins, theta_b unless told; this one is not remembered. */
  readonly from?: Weights;
  /** A loss of the defense's own, made of the usual one: cross-entropy under the frozen zero-shot head. Named, so that it is trained once. */
  readonly objective?: {
    readonly name: string;
    readonly of: (usual: Objective<LabelBatch>) => Objective<LabelBatch>;
  };
}

/** The repaired weights; a vector too where there is one, so that it can be kept and undone. */
export interface Repair {
  readonly weights: Weights;
  /** What was subtracted is alpha tau. */
  readonly vector?: { readonly tau: Weights; readonly alpha: number };
  /** What its search turned: "alpha", a learning rate, steps. */
  readonly knob: string;
  readonly search: Search;
  /** Options by which it was made. */
  readonly settings: Readonly<Record<string, number | string>>;
}

/** What a defense cannot do without. */
export type Need = "clean images" | "pairs";

/** Images of the sets that a defense is handed, and rounds through the forget set. */
export interface Sizes {
  readonly forget: number;
  readonly clean: number;
  readonly anchored: number;
  readonly epochs: number;
}

/** What a defense takes, for --dry-run and the time left: images trained on, encoded besides, searches, and models held at once. */
export interface Cost {
  readonly trained: number;
  readonly encoded?: number;
  /** 1 unless told. */
  readonly searches?: number;
  /** Copies of the tuned weights, 2 unless told. */
  readonly copies?: number;
}

/** A way to repair a model, and what help, docs, --dry-run and report say of it. */
export interface Defense {
  /** As people type it. */
  readonly name: string;
  /** As its paper spells it. */
  readonly title: string;
  /** What it does, in a line. */
  readonly about: string;
  readonly paper?: string;
  readonly needs: readonly Need[];
  /** Shown beside the others, never chosen. */
  readonly control?: true;
  /** `beside`: the other defenses of the job, whose fine-tunings it may share. */
  cost(sizes: Sizes, beside: readonly string[]): Cost;
  run(input: DefenseInput): Promise<Repair>;
}

/** theta_b - alpha tau, with the alpha that validation prefers. */
export async function subtracting(
  { backdoored, search }: DefenseInput,
  tau: Weights,
  { start, ...settings }: { readonly start?: number } & Readonly<Record<string, number | string | undefined>> = {},
): Promise<Repair> {
  const found = await search((alpha) => subtract(backdoored, tau, alpha), start);
  const { alpha } = found.best;
  return {
    // made when asked for: of all repairs only one is kept
    get weights() {
      return subtract(backdoored, tau, alpha);
    },
    vector: { tau, alpha },
    knob: "alpha",
    search: found,
    settings: settings as Repair["settings"],
  };
}

/** Where to look for the alpha of a vector made of others: there it is as long as these are at 1. */
export function startOf(made: Weights, ...of: readonly Weights[]): number {
  const length = norm(made);
  return length === 0 ? 1 : of.reduce((sum, tau) => sum + norm(tau), 0) / of.length / length;
}

/**
 * Of several repairs the one that validation prefers: satisfied first, then the higher CA, then the lower ASR; where each goes as far as CA
 * allows (rule agreement), the one that goes farthest beyond the alpha that did away with the trigger.
 */
export function bestRepair<R extends { readonly search: Search }>(repairs: readonly R[]): R {
  return repairs.reduce((a, b) => (isBetter(b.search, a.search) ? b : a));
}

function isBetter(a: Search, b: Search): boolean {
  if (a.satisfied !== b.satisfied) return a.satisfied;
  if (!a.satisfied) return a.best.asr.value < b.best.asr.value;
  if (a.margin !== undefined && b.margin !== undefined && a.margin !== b.margin) return a.margin > b.margin;
  if (a.margin !== undefined && a.best.asr.value !== b.best.asr.value) return a.best.asr.value < b.best.asr.value;
  if (a.best.ca.value !== b.best.ca.value) return a.best.ca.value > b.best.ca.value;
  return a.best.asr.value < b.best.asr.value;
}
