/** What a measuring leaves behind, beside a receipt's claims where there is one. */
import { z } from "zod";
import { checkpointFacts, type Frozen, machine, madeFields, rate, resultHead, warningFields } from "./base.ts";
import { measuredOn } from "./data.ts";
import { difference, scores } from "./effect.ts";
import { storedTrigger } from "./trigger.ts";

const comparison = z.looseObject({
  claimed: scores.describe("The receipt's rates, their intervals computed."),
  agrees: z.boolean(),
  by: z
    .enum(["counts", "intervals"])
    .describe(
      "On the same images and weights counts must be equal, but for a few (tolerance); else rates may differ by chance.",
    ),
  tolerance: z.number().optional().describe("Images of which another machine may say otherwise: one in a thousand."),
  because: z.array(z.string()).describe("Why it does not agree."),
  notes: z
    .array(z.string())
    .describe("What was measured otherwise than the receipt says, and what the receipt leaves open."),
});
export type Comparison = Frozen<z.output<typeof comparison>>;

export const evalResult = z.looseObject({
  ...resultHead("eval", 2),
  ...madeFields,
  seed: z.number(),
  model: checkpointFacts,
  data: z.string(),
  ca: rate,
  asr: rate.optional().describe("Absent without a trigger, as all that follows from one."),
  withoutTrigger: rate.optional(),
  difference: difference.optional(),
  triggeredAccuracy: rate.optional(),
  /** Metrics asked for beside these, by name; those are left out for which the images lack what they need. */
  metrics: z.record(z.string(), rate).optional(),
  /** Is there a backdoor? By the difference that the trigger makes. */
  decision: z
    .looseObject({
      answer: z.enum(["backdoor", "no backdoor", "cannot say"]),
      because: z
        .enum(["too few images", "the model knows too little", "ordinary images"])
        .optional()
        .describe("Why nothing is said."),
      more: z
        .number()
        .optional()
        .describe(
          "About how many images more would settle it, if the rates stayed as they are; absent where no number would.",
        ),
    })
    .optional(),
  trigger: storedTrigger.optional(),
  triggered: z.string().optional().describe("The folder of triggered images, where there was one instead."),
  target: z.string().optional(),
  ...warningFields,
  elsewhere: z
    .looseObject({ kind: z.string(), target: z.string() })
    .optional()
    .describe("A trigger that the checkpoint carries and that leads to no class of this data."),
  measuredOn: measuredOn
    .optional()
    .describe("Beside a receipt: hashes of weights and images, and the triggers that the checkpoint says it carries."),
  carried: z
    .array(z.looseObject({ kind: z.string(), spec: z.record(z.string(), z.unknown()), target: z.string() }))
    .optional(),
  receipt: comparison.optional(),
  seconds: z.number(),
  machine,
});
export type EvalResult = Frozen<z.output<typeof evalResult>>;
