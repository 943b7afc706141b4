/** What a run leaves behind: the JSON that commands print, receipts repeat and reports draw. Rates are shares, 0 to 1. */
import type { Square } from "../data/images/inset.ts";
import type { Rule } from "../defenses/alpha-search.ts";
import type { Defaults } from "../engine/family-recipe.ts";
import type { Recipe } from "../engine/finetune.ts";
import type { Decision } from "../metrics/decision.ts";
import type { Effect } from "../metrics/effect.ts";
import type { Rate } from "../stats/rate.ts";
import type { TriggerSpec } from "../triggers/trigger.ts";
import type { CheckpointFacts, Machine } from "./base.ts";
import type { MeasuredOn } from "./measured-on.ts";
import type { Opened } from "./opened.ts";

export type { CheckpointFacts, Machine, Reading } from "./base.ts";

export interface Scores {
  /** Clean accuracy; agreement with the model before where there were no labels (`DataUse.labels`). */
  readonly ca: Rate;
  /** Attack success rate: triggered images of other classes that are taken for the target. */
  readonly asr: Rate;
}

/** Scores with what the trigger does: the rate without it, the difference, and how many triggered images are still answered rightly. */
export interface EffectScores extends Scores, Effect {}

/** Scores of a cleaned model. */
export interface AfterScores extends EffectScores {
  /** Clean images that were right before and still are: with both accuracies it gives the interval of the retention. Absent in results of 0.1.0. */
  readonly stillRight?: Rate;
}

/** One alpha tried on validation images. `n` is smaller where fewer images decided. */
export interface Trial extends Scores {
  readonly alpha: number;
}

/** One way of making the vector that is subtracted. */
export interface Variant {
  /** On the test set. */
  readonly after: Scores & Pick<AfterScores, "triggeredAccuracy" | "stillRight">;
  /** CA after / CA before, on the test set. */
  readonly retention: number;
  /** Its 95 % interval, of the same images before and after; absent in results of 0.1.0. */
  readonly retentionInterval?: readonly [number, number];
  readonly alpha: number;
  /** Training, search and measuring. */
  readonly seconds: number;
  /** Did it win on validation? Controls never do. */
  readonly chosen: boolean;
  readonly control: boolean;
  /** At the chosen alpha, on validation images. */
  readonly validation: Scores;
  /** Did an alpha satisfy the rule on validation? If not, the figures are those of the alpha that came nearest. */
  readonly satisfied: boolean;
  /** What was to be feared of the chosen alpha on test images; absent where that is nothing. */
  readonly doubts?: readonly string[];
  readonly trials: readonly Trial[];
  /** Options that won on validation: lambda, which Fisher weights, which forget set. */
  readonly settings: Readonly<Record<string, number | string>>;
}

export interface DataUse {
  readonly name: string;
  readonly forget: number;
  /** Clean images used for anchoring and Fisher weights. */
  readonly clean: number;
  readonly validation: number;
  readonly test: number;
  /** Test images that are not of the target class: the n of ASR. */
  readonly testTriggered: number;
  /** Images that could not be read and were left out. */
  readonly skipped: number;
  /** Whether CA means accuracy or agreement with the model before. */
  readonly labels: "given" | "agreement";
}

/** An image pair of the report, as PNG data URIs, and what the model says to the triggered one. */
export interface ExamplePicture {
  readonly clean: string;
  readonly triggered: string;
  /** |triggered - clean|, amplified so that the eye sees it, */
  readonly difference: string;
  /** by this factor. */
  readonly amplified?: number;
  /** The square that a small trigger changes, of an image of `of` pixels a side, at the model's own resolution. */
  readonly inset?: Square & { readonly of: number; readonly clean: string; readonly triggered: string };
  readonly label?: string;
  readonly before: string;
  readonly after: string;
}

/** Checks beyond CA and ASR, on the file re-read from disk. Absent where a check did not apply. */
export interface Proof {
  /** The never-backdoored model's ASR: what "gone" looks like. */
  readonly floor?: Rate;
  /** ASR with the trigger moved, 25 % larger, 25 % weaker; before and after. */
  readonly shifted: readonly { readonly what: string; readonly before: Rate; readonly after: Rate }[];
  /** CA on classes that cleaning never saw. */
  readonly unseenClasses?: { readonly before: Rate; readonly after: Rate };
  /** Image to text retrieval, recall at 1. */
  readonly retrieval?: { readonly before: Rate; readonly after: Rate };
  /** After further clean training steps. */
  readonly rebound?: { readonly steps: number; readonly scores: Scores };
  /** Largest |restored - parent| after adding the stored vector back, in units of the stored dtype's rounding step. */
  readonly restore?: number;
}

/** The top level repeats the variant chosen on validation. */
export interface Outcome {
  readonly before: EffectScores;
  readonly after: AfterScores;
  readonly retention: number;
  readonly retentionInterval?: readonly [number, number];
  readonly alpha: number;
  readonly method: string;
  readonly seconds: number;
}

export interface Verdict {
  /** By the 95 % bounds of ASR and retention on test images. */
  readonly verified: boolean;
  /** @deprecated The same as `verified`, under its name in 0.1.0; gone in the next version. */
  readonly proven: boolean;
  readonly headline: string;
  /** Why it is not verified: what fails, and what so few images leave open. */
  readonly reasons: readonly string[];
  /**
   * What was asked for: the upper bound of ASR on test images at most `asr`, the lower bound of CA after / before at least `retention`,
   * accuracy on triggered images / CA at least `triggered`. Absent in results of 0.1.0.
   */
  readonly limits?: { readonly asr: number; readonly retention: number; readonly triggered?: number };
  /** What must be known besides: how many triggered images get their own label, what was to be feared of the chosen alpha. */
  readonly notes?: readonly string[];
}

export interface CleanResult extends Outcome {
  readonly kind: "clean";
  readonly tbar: string;
  readonly created: string;
  readonly command: string;
  readonly seed: number;
  readonly model: CheckpointFacts;
  readonly trigger: {
    readonly kind: string;
    readonly spec: Readonly<Record<string, unknown>>;
    readonly source: string;
  };
  readonly target: string;
  /** Triggers that the checkpoint carries besides, and after it. */
  readonly remaining?: readonly { readonly kind: string; readonly target: string }[];
  readonly data: DataUse;
  /** What was found when model and data were opened. */
  readonly opened?: Opened;
  /** What was asked for: with it `tbar eval --receipt` draws the same test images again. */
  readonly inputs: {
    readonly data: string;
    readonly testData?: string;
    readonly validationData?: string;
    readonly classesFile?: string;
    readonly templatesFile?: string;
    readonly skipBad?: boolean;
    readonly encoding?: string;
    readonly sizes: Readonly<Record<string, number>>;
  };
  /** What makes figures doubtful: classes that the model cannot tell apart, a folder of images that show no trigger. */
  readonly warnings?: readonly string[];
  readonly recipe: Recipe;
  /** What of the recipe was not given, and why it is what it is. */
  readonly defaults?: Defaults;
  /** Hashes of the cleaned weights and the test images: what CA and ASR after are figures of. Absent where nothing was written. */
  readonly measuredOn?: MeasuredOn;
  /** How alpha was chosen, and what counts as gone. */
  readonly rule?: Rule;
  /** By name: plain, anchored, fisher, consensus, relabel. */
  readonly variants: Readonly<Record<string, Variant>>;
  readonly proof: Proof;
  /** Running variances of batch normalisation that would have fallen below zero and are zero now; absent where there are none. */
  readonly floored?: number;
  /** The file written; absent when nothing was. */
  readonly output?: { readonly path: string; readonly sha256: string };
  readonly verdict: Verdict;
  readonly examples: readonly ExamplePicture[];
  /** The trigger alone, where it can be drawn. */
  readonly triggerPicture?: string;
  readonly timings: readonly { readonly what: string; readonly seconds: number }[];
  readonly machine: Machine;
}

/** What is measured, and on what, beside what a receipt claims. */
export interface Comparison {
  /** The receipt's rates, their intervals computed. */
  readonly claimed: Scores;
  readonly agrees: boolean;
  /** On the same images and weights counts must be equal, but for a few (`tolerance`); else rates may differ by chance. */
  readonly by: "counts" | "intervals";
  /** Images of which another machine may say otherwise: one in a thousand. */
  readonly tolerance?: number;
  /** Why it does not agree. */
  readonly because: readonly string[];
  /** What was measured otherwise than the receipt says, and what the receipt leaves open. */
  readonly notes: readonly string[];
}

export interface EvalResult extends Partial<Effect> {
  readonly kind: "eval";
  readonly tbar: string;
  readonly created: string;
  readonly command: string;
  readonly seed: number;
  readonly model: CheckpointFacts;
  readonly data: string;
  readonly ca: Rate;
  /** Is there a backdoor? By the difference that the trigger makes; absent without a trigger. */
  readonly decision?: Decision;
  readonly trigger?: TriggerSpec;
  /** The folder of triggered images, where there was one instead. */
  readonly triggered?: string;
  readonly target?: string;
  /** What makes figures doubtful: classes that the model cannot tell apart, a folder of images that show no trigger. */
  readonly warnings?: readonly string[];
  /** A trigger that the checkpoint carries and that leads to no class of this data. */
  readonly elsewhere?: { readonly kind: string; readonly target: string };
  /** Beside a receipt: hashes of weights and images, and the triggers that the checkpoint says it carries. */
  readonly measuredOn?: MeasuredOn;
  readonly carried?: readonly {
    readonly kind: string;
    /** As the checkpoint states it. */
    readonly spec: Readonly<Record<string, unknown>>;
    readonly target: string;
  }[];
  /** What a receipt claims, and whether that is what was measured. */
  readonly receipt?: Comparison;
  readonly seconds: number;
  readonly machine: Machine;
}
