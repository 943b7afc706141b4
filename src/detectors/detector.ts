/** The contract of every detector: clean images in; a statistic, suspected targets and recovered triggers out. It knows no verdict. */
import type { Clip } from "../engine/clip.ts";
import type { Rate } from "../stats/rate.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import type { InvertedSpec } from "../triggers/inverted.ts";

/** A model under suspicion, or one to compare it with. */
export interface Subject {
  readonly clip: Clip;
  readonly weights: Weights;
  /** Zero-shot head [C, E] of the class names, scale included. Absent in a model without a text tower or without class names. */
  readonly head?: Tensor;
}

/** Clean images, and what the model answers to them as they are. */
export interface Images {
  /** [N, 3, S, S] in [0, 1]. */
  readonly pixels: Tensor;
  /** Class of each; absent without a head. */
  readonly answers?: Int32Array;
}

export interface DetectorInput {
  readonly suspect: Subject;
  /** The model that the suspect was made from, where the user has one. */
  readonly base?: Subject;
  readonly classNames: readonly string[];
  /** Images to fit triggers on. */
  readonly fit: Images;
  /** Other images to measure them on. */
  readonly held: Images;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** `done` of the work that `cost` states. */
  readonly report?: (done: number, note?: string) => void;
}

export interface Suspected {
  /** Class that the trigger leads to. */
  readonly label: number;
  /** On the detector's own scale: the larger, the more suspicious. */
  readonly statistic: number;
  /** Images of other classes taken for it with the recovered trigger on, among those held out. */
  readonly asr?: Rate;
  readonly trigger?: InvertedSpec;
  /** The statistic less what the same fit reaches on the base, where there is one. */
  readonly aboveBase?: number;
}

export interface Finding {
  /** The larger, the more suspicious; what it is says the detector's `statistic`. */
  readonly statistic: number;
  /** The most suspicious first. */
  readonly suspects: readonly Suspected[];
  /** Other figures that it came by. */
  readonly facts?: Readonly<Record<string, number>>;
}

/** What a detector cannot do without. */
export type Need = "class names" | "base";

/** What a detector's cost depends on. */
export interface Size {
  readonly classes: number;
  /** Is there a base to compare with? */
  readonly base: boolean;
  /** Images to fit on and to measure on. */
  readonly fit: number;
  readonly held: number;
}

/** Gradients to the pixels of one image, and images encoded besides. */
export interface Cost {
  readonly gradients: number;
  readonly encoded: number;
}

export interface Detector {
  /** As people type it. */
  readonly name: string;
  /** As its paper spells it. */
  readonly title: string;
  /** What it does, in a line. */
  readonly about: string;
  /** What its statistic is. */
  readonly statistic: string;
  readonly paper?: string;
  readonly needs: readonly Need[];
  /** Part of the quick scan, which the verdict is calibrated on. */
  readonly quick?: true;
  cost(size: Size): Cost;
  run(input: DetectorInput): Promise<Finding>;
}
