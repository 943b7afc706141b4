/** What a cleaning leaves behind: the JSON that the command prints, receipts repeat and reports draw. Rates are shares, 0 to 1. */
import { z } from "zod";
import {
  checkpointFacts,
  type Frozen,
  madeHead,
  maybe,
  named,
  outputFile,
  quotient,
  ranFields,
  rate,
  strings,
  trainingFields,
  warningFields,
} from "./base.ts";
import { dataUse, inputs, measuredOn } from "./data.ts";
import { afterScores, difference, effectScores, scores } from "./effect.ts";
import { unknownFields } from "./unknown.ts";

const pair = z.looseObject({ before: rate, after: rate });
const rule = z.looseObject({ name: z.string(), limit: z.number().optional() });
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
  after: scores
    .extend({ triggeredAccuracy: rate.optional(), stillRight: rate.optional() })
    .describe("On the test set."),
  retention: quotient.describe("CA after / CA before, on the test set."),
  retentionInterval: maybe(span, "Its 95 % interval, of the same images before and after; absent in 0.1.0."),
  alpha: z.number(),
  seconds: z.number().describe("Training, search and measuring."),
  images: maybe(
    z.looseObject({ data: z.number(), trained: z.number(), encoded: z.number() }),
    "Different images that it was handed; images times rounds trained on; images encoded besides, in its search too.",
  ),
  chosen: z.boolean().describe("Did it win on validation?"),
  control: z
    .boolean()
    .describe("A rival or control, no variant of TBAR. With --unknown it is chosen only if named alone."),
  title: maybe(z.string(), "As its paper spells it; absent in results of 0.1.0, as are the next two."),
  about: maybe(z.string(), "What it does, in a line."),
  paper: z.string().optional(),
  knob: maybe(z.string(), "What alpha is of this defense; absent in results of 0.1.0, where it is alpha."),
  validation: scores
    .extend({ triggeredAccuracy: rate.optional() })
    .describe(
      "At the chosen alpha, on validation images. Whether those with the trigger get their own label decides first.",
    ),
  satisfied: z.boolean().describe("Did an alpha satisfy the rule on validation? If not, this one came nearest."),
  doubts: maybe(strings, "What was to be feared of the chosen alpha on test images, where it was anything."),
  trials: z.array(trial),
  settings: z
    .record(z.string(), z.union([z.number(), z.string()]))
    .describe("Options that won on validation: lambda, which Fisher weights, which forget set."),
  against: maybe(
    z.looseObject({ method: z.string(), ca: difference, asr: difference }),
    "CA and ASR less those of TBAR's best variant on validation, of the same test images; absent of that one, and before.",
  ),
});

const verdict = z.looseObject({
  verified: maybe(z.boolean(), "By the 95 % bounds of ASR and retention on test images. 0.1.0 says proven alone."),
  proven: z.boolean().describe("The same as verified, under its name in 0.1.0; gone in the next version."),
  headline: z.string(),
  reasons: strings.describe("Why it is not verified: what fails, and what so few images leave open."),
  /**
   * What was asked for: the upper bound of ASR on test images at most `asr`, the lower bound of CA after / before at least `retention`,
   * accuracy on triggered images / CA at least `triggered`: a half, or half of the share that a clean control model goes on reading. Absent in results of 0.1.0.
   */
  limits: z.looseObject({ asr: z.number(), retention: z.number(), triggered: z.number().optional() }).optional(),
  notes: maybe(strings, "How many triggered images get their own label, what was to be feared of the chosen alpha."),
});

/** An image pair of the report, as PNG data URIs, and what the model says to the triggered one. */
const example = z.looseObject({
  clean: picture,
  triggered: picture,
  difference: picture.describe("|triggered - clean|, amplified so that the eye sees it."),
  amplified: maybe(z.number(), "By which factor the difference is amplified."),
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

/** Of a clean control model, the same images without the trigger and with it: how much of them the trigger leaves to be read. */
const reading = z.looseObject({
  sha256: z.string().describe("Of the control's weights file."),
  ca: rate.describe("Its accuracy on the test images that get the trigger, without it."),
  asr: rate.describe("How often it takes them for the target with the trigger on."),
  triggeredAccuracy: rate.describe("Its accuracy with the trigger on: what can be read of them at all."),
});
export type ControlReading = Frozen<z.output<typeof reading>>;

/** Checks beyond CA and ASR, on the file read again from disk. Absent where a check did not apply. */
const proof = z.looseObject({
  floor: maybe(rate, 'Baseline ASR of the clean control model: what "gone" looks like.'),
  control: maybe(
    reading,
    "What the clean control model reads. The verdict asks for half of CA times the share that it goes on reading with the trigger on; with --unknown for nothing of the kind.",
  ),
  shifted: z
    .array(pair.extend({ what: z.string() }))
    .describe("ASR with the trigger moved, 25 % larger, 25 % weaker; before and after."),
  unseenClasses: maybe(pair, "CA on classes that cleaning never saw."),
  further: maybe(
    z.record(z.string(), pair.extend({ title: z.string(), about: z.string() })),
    "By name: retrieval and other metrics that the images allow.",
  ),
  retrieval: maybe(pair, "The same of retrieval, where results of 0.1.0 have it; gone in the next version."),
  rebound: maybe(z.looseObject({ steps: z.number(), scores }), "Backdoor recovery: after more clean training."),
  restore: maybe(z.number(), "Largest |restored - parent| with the vector added back, in rounding steps of its dtype."),
});

export const cleanResult = z.looseObject({
  ...madeHead("clean", 2),
  seed: z.number(),
  model: checkpointFacts,
  trigger: z.looseObject({
    kind: z.string(),
    spec: z.record(z.string(), z.unknown()),
    source: z.string(),
    title: maybe(z.string(), "Of the attack that makes such triggers, where it is known."),
    about: z.string().optional(),
    paper: z.string().optional(),
  }),
  target: z.string(),
  remaining: maybe(z.array(named), "Triggers that the checkpoint carries besides, and after it."),
  data: dataUse,
  inputs: maybe(inputs, "These two are always there in results of today."),
  recipe: trainingFields.recipe.optional(),
  defaults: trainingFields.defaults,
  ...warningFields,
  measuredOn: maybe(measuredOn, "What CA and ASR after are figures of. Absent where nothing was written."),
  rule: maybe(rule, "How alpha was chosen, and what counts as gone."),
  variants: z
    .record(z.string(), variant)
    .describe("By name: plain, anchored, fisher, consensus, relabel and other rivals."),
  proof,
  floored: maybe(z.number(), "Running variances that would have fallen below zero and are zero now; absent without."),
  output: maybe(outputFile, "The file written; absent when nothing was."),
  before: beforeScores.describe("The top level repeats the defense chosen on validation."),
  after: afterwards,
  frozenHead: maybe(
    scores,
    "Where both towers learned: after, under the head of the text tower as it came. All others are of the live one.",
  ),
  retention: quotient,
  retentionInterval: span.optional(),
  alpha: z.number(),
  method: z.string(),
  verdict,
  ...unknownFields,
  examples: z.array(example),
  triggerPicture: maybe(picture, "The trigger alone, where it can be drawn."),
  ...ranFields,
});

export type CleanResult = Frozen<z.output<typeof cleanResult>>;
export type Variant = Frozen<z.output<typeof variant>>;
export type Trial = Frozen<z.output<typeof trial>>;
export type Proof = Frozen<z.output<typeof proof>>;
export type Verdict = Frozen<z.output<typeof verdict>> & { readonly verified: boolean };
export type ExamplePicture = Frozen<z.output<typeof example>>;
