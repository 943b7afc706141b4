/** The contract of every defense: what it is handed and what it gives back. It knows no metric. */
import { norm, subtract, taskVector } from "../arithmetic/task-vector.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Activations } from "../engine/activations.ts";
import type { LoadedClip } from "../engine/clip.ts";
import type { Recipe, Task } from "../engine/finetune.ts";
import type { Objective } from "../engine/gradients.ts";
import type { MomentImages, Moments } from "../engine/moments.ts";
import type { UsualBatch } from "../engine/tasks.ts";
import { badInput } from "../tensor/error.ts";
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
  /** Clean images with captions, where there are such. */
  readonly captioned?: Dataset;
  /** What the model was trained on, poison and all, where that is known. */
  readonly training?: Dataset;
  /** Zero-shot head [C, E] of theta_b, scale included: the frozen one. */
  readonly head: Tensor;
  /** Prompts, `{}` standing for a class: captions of images that have none, where pairs are learned. */
  readonly templates?: readonly string[];
  /** The forget set with some clean images beside it: one set for all that ask, so that it is trained on once. */
  readonly anchored: Dataset;
  /** Does the trigger only stand for the attack's own, as recovered ones do? Then each method goes on as far as the clean accuracy allows. */
  readonly onStandIns?: boolean;
  /** Fine-tune from theta_b. Asked twice for the same set and variation it trains once. */
  finetune(data: Dataset, variation?: Variation): Promise<Weights>;
  /** Train on images by a task of the defense's own, from theta_b unless told. What it gives is not remembered. */
  learn<Batch extends Pixels>(
    data: Dataset,
    make: (at: Learning) => Task<Batch>,
    variation?: Pick<Variation, "lr" | "from">,
  ): Promise<Weights>;
  /** Unit-norm image embeddings [N, E] of a set at theta_b. */
  embed(data: Dataset): Promise<Tensor>;
  /** What the image tower's linear maps are given at theta_b, and the step that the trigger makes in it. Asked twice it is encoded once. */
  moments(images: MomentImages): Promise<readonly Moments[]>;
  /** a b of matrices [m, k] and [k, n], on the engine. */
  product(a: Tensor, b: Tensor): Promise<Tensor>;
  /** What the image tower's blocks make of a set at theta_b. */
  activations(data: Dataset): Promise<Activations>;
  /** A set under the universal perturbation that these weights fail under most. */
  perturbed(data: Dataset, at: { readonly weights: Weights; readonly seed: number }): Promise<Dataset>;
  /** Mean squared batch gradients of the loss on these images at theta_b, scaled to sum 1. */
  gradientSquares(data: Dataset): Promise<Weights>;
  /** The best value of a defense's knob on validation images: of `at(knob)`, looked for from `start` on, 1 unless told. */
  search(at: (knob: number) => Weights, start?: number): Promise<Search>;
  /** The same among a few values of a knob each of which takes a training: in rising order, as far as CA lasts. */
  among(knobs: readonly number[], at: (knob: number) => Promise<Weights>): Promise<Among>;
}

/** What a task is made of. */
export interface Learning {
  readonly clip: LoadedClip;
  readonly data: Dataset;
  readonly head: Tensor;
  readonly recipe: Recipe;
}

/** Images of a batch, in one tensor or several. */
export interface Pixels {
  readonly pixels: Tensor | readonly Tensor[];
}

/** What a search among trained models found. */
export interface Among {
  readonly search: Search;
  /** Those of the best value. */
  readonly weights: Weights;
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
  /** A loss of the defense's own, made of the usual one: cross-entropy under the frozen zero-shot head, or CLIP's of pairs. Named, so that it is trained once. */
  readonly objective?: {
    readonly name: string;
    readonly of: (usual: Objective<UsualBatch>) => Objective<UsualBatch>;
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
export type Need =
  | "clean images"
  | "pairs"
  | "pairs or clean images"
  | "captions"
  | "training set"
  | "a transformer"
  | "a last linear map";

/** Images of the sets that a defense is handed, and rounds through the forget set. */
export interface Sizes {
  readonly forget: number;
  readonly clean: number;
  readonly anchored: number;
  readonly training?: number;
  readonly epochs: number;
  /** Has the forget set been learned elsewhere, so that nothing is trained on it alone? */
  readonly learned?: boolean;
  /** Do the triggers only stand for the attack's own? */
  readonly onStandIns?: boolean;
}

/** Images trained on for the vector of the forget set alone. */
export const forgetting = ({ forget, epochs, learned = false }: Sizes): number => (learned ? 0 : forget * epochs);

/** What a defense takes, for --dry-run and the time left: images trained on, encoded besides, searches, and models held at once. */
export interface Cost {
  readonly trained: number;
  readonly encoded?: number;
  /** 1 unless told. */
  readonly searches?: number;
  /** Models measured on all validation images; where there are such, no search is made unless told. */
  readonly measured?: number;
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
  /** A rival or control, no variant of TBAR: on equal terms where the trigger is known; of an unknown attack chosen only if named alone. */
  readonly control?: true;
  /** On triggers that only stand for the attack's own, what it does carries over to that one: there it is chosen before others. */
  readonly carriesOver?: boolean;
  /** `beside`: the other defenses of the job, whose fine-tunings it may share. */
  cost(sizes: Sizes, beside: readonly string[]): Cost;
  run(input: DefenseInput): Promise<Repair>;
}

/** What the model answers without the trigger. Throws `bad-input` where that is not known. */
export async function answeredTo({ answered }: Pick<DefenseInput, "answered">, method: string): Promise<Answered> {
  if (answered !== undefined) return answered();
  throw badInput(`${method} needs the triggered images without the trigger too; bring the trigger instead of a folder`);
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

/** Of models trained with each of these knobs the one that validation prefers; the step to it is kept as a vector. */
export async function choosing(
  { backdoored, among }: DefenseInput,
  knob: string,
  knobs: readonly number[],
  at: (knob: number) => Promise<Weights>,
  settings: Repair["settings"] = {},
): Promise<Repair> {
  const { search, weights } = await among(knobs, at);
  return {
    weights,
    // made when asked for: of all repairs only one is kept
    get vector() {
      return { tau: taskVector(weights, backdoored), alpha: 1 };
    },
    knob,
    search,
    settings,
  };
}

/** Learning rates that rivals are trained with, as multiples of the recipe's. */
export const learningRates = [1 / 4, 1, 4, 16] as const;

/** Where to look for the alpha of a vector made of others: there it is as long as these are at 1. */
export function startOf(made: Weights, ...of: readonly Weights[]): number {
  const length = norm(made);
  return length === 0 ? 1 : of.reduce((sum, tau) => sum + norm(tau), 0) / of.length / length;
}
