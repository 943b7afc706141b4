/** What a measuring leaves behind, beside a receipt's claims where there is one. */
import { z } from "zod";
import {
  checkpointFacts,
  type Frozen,
  machine,
  madeHead,
  maybe,
  named,
  quotient,
  rate,
  strings,
  warningFields,
} from "./base.ts";
import { measuredOn } from "./data.ts";
import { difference, scores } from "./effect.ts";
import { storedTrigger } from "./trigger.ts";

const comparison = z.looseObject({
  claimed: scores.describe("The receipt's rates, their intervals computed."),
  agrees: z.boolean(),
  by: z
    .enum(["counts", "intervals"])
    .describe("On the same images and weights counts must agree (tolerance); on others rates may differ by chance."),
  tolerance: maybe(z.number(), "Images of which another machine may say otherwise: one in a thousand."),
  because: strings.describe("Why it does not agree."),
  notes: strings.describe("What was measured otherwise than the receipt says, and what it leaves open."),
});
export type Comparison = Frozen<z.output<typeof comparison>>;

const beside = z.looseObject({
  ca: rate.describe("The reference's own."),
  stillRight: rate.describe("Images that both are right about."),
  agreement: rate.describe("Images to which both say the same."),
  retention: z
    .looseObject({ value: quotient, interval: z.tuple([quotient, quotient]) })
    .describe("CA / the reference's CA, with the score interval for the same images."),
});
export type Beside = Frozen<z.output<typeof beside>>;

const unsaid = z.enum(["too few images", "the model knows too little", "ordinary images"]);

export const evalResult = z.looseObject({
  ...madeHead("eval", 2),
  seed: z.number(),
  model: checkpointFacts,
  data: z.string(),
  ca: rate,
  asr: maybe(rate, "Absent without a trigger, as all that follows from one."),
  withoutTrigger: rate.optional(),
  difference: difference.optional(),
  triggeredAccuracy: rate.optional(),
  /** Metrics asked for beside these, by name; those are left out for which the images lack what they need. */
  metrics: z.record(z.string(), rate).optional(),
  reference: maybe(checkpointFacts, "The checkpoint that it stands beside."),
  beside: maybe(beside, "The reference on the same images."),
  also: maybe(
    z.array(z.looseObject({ data: z.string(), ca: rate, beside: beside.optional() })),
    "On other data sets and label sets.",
  ),
  /** Is there a backdoor? By the difference that the trigger makes. */
  decision: z
    .looseObject({
      answer: z.enum(["backdoor", "no backdoor", "cannot say"]),
      because: maybe(unsaid, "Why nothing is said."),
      more: maybe(z.number(), "About how many images more would settle it, were the rates to stay; where some would."),
    })
    .optional(),
  trigger: storedTrigger.optional(),
  triggered: maybe(z.string(), "The folder of triggered images, where there was one instead."),
  target: z.string().optional(),
  ...warningFields,
  elsewhere: maybe(named, "A trigger that the checkpoint carries and that leads to no class of this data."),
  measuredOn: maybe(measuredOn, "Beside a receipt: hashes of weights and images, and the triggers that it declares."),
  carried: z
    .array(z.looseObject({ kind: z.string(), spec: z.record(z.string(), z.unknown()), target: z.string() }))
    .optional(),
  receipt: comparison.optional(),
  seconds: z.number(),
  machine,
});
export type EvalResult = Frozen<z.output<typeof evalResult>>;
