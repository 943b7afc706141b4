/** What a cleaning leaves behind: the JSON that the command prints, receipts repeat and reports draw. Rates are shares, 0 to 1. */
import { z } from "zod";
import {
  checkpointFacts,
  type Frozen,
  machine,
  madeFields,
  outputFile,
  quotient,
  rate,
  resultHead,
  timings,
  trainingFields,
  warningFields,
} from "./base.ts";
import { dataUse, inputs, measuredOn, opened } from "./data.ts";
import { afterScores, difference, effectScores, scores } from "./effect.ts";

const pair = z.looseObject({ before: rate, after: rate });
const picture = z.string().startsWith("data:image/");
const span = z.tuple([quotient, quotient]);

/** Results of 0.1.0 do not say what the model does without the trigger. */
const lesser = { withoutTrigger: rate.optional(), difference: difference.optional() };
const beforeScores = effectScores.extend(lesser) as unknown as typeof effectScores;
const afterwards = afterScores.extend(lesser) as unknown as typeof afterScores;

/** One alpha tried on validation images. `n` is smaller where fewer images decided. */
const trial = scores.extend({ alpha: z.number() });

/** One defense: what it made of the model. */
export const variant = z.looseObject({
  /** On the test set. */
  after: scores.extend({ triggeredAccuracy: rate.optional(), stillRight: rate.optional() }),
  /** CA after / CA before, on the test set. */
  retention: quotient,
  /** Its 95 % interval, of the same images before and after; absent in results of 0.1.0. */
  retentionInterval: span.optional(),
  alpha: z.number(),
  /** Training, search and measuring. */
  seconds: z.number(),
  /** Did it win on validation? Controls never do. */
  chosen: z.boolean(),
  control: z.boolean(),
  /** As its paper spells it, and where that is; absent in results of 0.1.0. */
  title: z.string().optional(),
  paper: z.string().optional(),
  /** What alpha is of this defense; absent in results of 0.1.0, where it is alpha. */
  knob: z.string().optional(),
  /** At the chosen alpha, on validation images. */
  validation: scores,
  /** Did an alpha satisfy the rule on validation? If not, the figures are those of the alpha that came nearest. */
  satisfied: z.boolean(),
  /** What was to be feared of the chosen alpha on test images; absent where that is nothing. */
  doubts: z.array(z.string()).optional(),
  trials: z.array(trial),
  /** Options that won on validation: lambda, which Fisher weights, which forget set. */
  settings: z.record(z.string(), z.union([z.number(), z.string()])),
});

const verdict = z.looseObject({
  /** By the 95 % bounds of ASR and retention on test images. Results of 0.1.0 say `proven` alone. */
  verified: z.boolean().optional(),
  /** The same as `verified`, under its name in 0.1.0; gone in the next version. */
  proven: z.boolean(),
  headline: z.string(),
  /** Why it is not verified: what fails, and what so few images leave open. */
  reasons: z.array(z.string()),
  /**
   * What was asked for: the upper bound of ASR on test images at most `asr`, the lower bound of CA after / before at least `retention`,
   * accuracy on triggered images / CA at least `triggered`. Absent in results of 0.1.0.
   */
  limits: z.looseObject({ asr: z.number(), retention: z.number(), triggered: z.number().optional() }).optional(),
  /** What must be known besides: how many triggered images get their own label, what was to be feared of the chosen alpha. */
  notes: z.array(z.string()).optional(),
});

/** An image pair of the report, as PNG data URIs, and what the model says to the triggered one. */
const example = z.looseObject({
  clean: picture,
  triggered: picture,
  /** |triggered - clean|, amplified so that the eye sees it, */
  difference: picture,
  /** by this factor. */
  amplified: z.number().optional(),
  /** The square that a small trigger changes, of an image of `of` pixels a side, at the model's own resolution. */
  inset: z
    .looseObject({
      left: z.number(),
      top: z.number(),
      side: z.number(),
      of: z.number(),
      clean: picture,
      triggered: picture,
    })
    .optional(),
  label: z.string().optional(),
  before: z.string(),
  after: z.string(),
});

/** Checks beyond CA and ASR, on the file read again from disk. Absent where a check did not apply. */
const proof = z.looseObject({
  /** Baseline ASR of the clean control model: what "gone" looks like. */
  floor: rate.optional(),
  /** ASR with the trigger moved, 25 % larger, 25 % weaker; before and after. */
  shifted: z.array(pair.extend({ what: z.string() })),
  /** CA on classes that cleaning never saw. */
  unseenClasses: pair.optional(),
  /** Image to text retrieval, recall at 1. */
  retrieval: pair.optional(),
  /** Backdoor recovery: after further clean training steps. */
  rebound: z.looseObject({ steps: z.number(), scores }).optional(),
  /** Largest |restored - parent| after adding the stored vector back, in units of the stored dtype's rounding step. */
  restore: z.number().optional(),
});

export const cleanResult = z.looseObject({
  ...resultHead("clean", 2),
  ...madeFields,
  seed: z.number(),
  model: checkpointFacts,
  trigger: z.looseObject({ kind: z.string(), spec: z.record(z.string(), z.unknown()), source: z.string() }),
  target: z.string(),
  /** Triggers that the checkpoint carries besides, and after it. */
  remaining: z.array(z.looseObject({ kind: z.string(), target: z.string() })).optional(),
  data: dataUse,
  opened: opened.optional(),
  /** These two are always there in results of today. */
  inputs: inputs.optional(),
  recipe: trainingFields.recipe.optional(),
  defaults: trainingFields.defaults,
  ...warningFields,
  /** What CA and ASR after are figures of. Absent where nothing was written. */
  measuredOn: measuredOn.optional(),
  /** How alpha was chosen, and what counts as gone. */
  rule: z.looseObject({ name: z.string(), limit: z.number().optional() }).optional(),
  /** By name: plain, anchored, fisher, consensus, relabel. */
  variants: z.record(z.string(), variant),
  proof,
  /** Running variances of batch normalisation that would have fallen below zero and are zero now; absent where there are none. */
  floored: z.number().optional(),
  /** The file written; absent when nothing was. */
  output: outputFile.optional(),
  /** The top level repeats the defense chosen on validation. */
  before: beforeScores,
  after: afterwards,
  retention: quotient,
  retentionInterval: span.optional(),
  alpha: z.number(),
  method: z.string(),
  verdict,
  examples: z.array(example),
  /** The trigger alone, where it can be drawn. */
  triggerPicture: picture.optional(),
  seconds: z.number(),
  timings,
  machine,
});
export type CleanResult = Frozen<z.output<typeof cleanResult>>;
export type Variant = Frozen<z.output<typeof variant>>;
export type Trial = Frozen<z.output<typeof trial>>;
export type Proof = Frozen<z.output<typeof proof>>;
export type Verdict = Frozen<z.output<typeof verdict>> & { readonly verified: boolean };
export type ExamplePicture = Frozen<z.output<typeof example>>;
