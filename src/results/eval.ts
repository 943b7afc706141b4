/** What a measuring leaves behind, beside a receipt's claims where there is one. */
import { z } from "zod";
import { checkpointFacts, type Frozen, machine, madeFields, rate, resultHead, warningFields } from "./base.ts";
import { measuredOn } from "./data.ts";
import { difference, scores } from "./effect.ts";
import { storedTrigger } from "./trigger.ts";

const comparison = z.looseObject({
  /** The receipt's rates, their intervals computed. */
  claimed: scores,
  agrees: z.boolean(),
  /** On the same images and weights counts must be equal, but for a few (`tolerance`); else rates may differ by chance. */
  by: z.enum(["counts", "intervals"]),
  /** Images of which another machine may say otherwise: one in a thousand. */
  tolerance: z.number().optional(),
  /** Why it does not agree. */
  because: z.array(z.string()),
  /** What was measured otherwise than the receipt says, and what the receipt leaves open. */
  notes: z.array(z.string()),
});
export type Comparison = Frozen<z.output<typeof comparison>>;

export const evalResult = z.looseObject({
  ...resultHead("eval", 2),
  ...madeFields,
  seed: z.number(),
  model: checkpointFacts,
  data: z.string(),
  ca: rate,
  /** Absent without a trigger, as all that follows from one. */
  asr: rate.optional(),
  withoutTrigger: rate.optional(),
  difference: difference.optional(),
  triggeredAccuracy: rate.optional(),
  /** Is there a backdoor? By the difference that the trigger makes. */
  decision: z
    .looseObject({
      answer: z.enum(["backdoor", "no backdoor", "cannot say"]),
      /** Why nothing is said. */
      because: z.enum(["too few images", "the model knows too little", "ordinary images"]).optional(),
      /** About how many images more would settle it, if the rates stayed as they are; absent where no number would. */
      more: z.number().optional(),
    })
    .optional(),
  trigger: storedTrigger.optional(),
  /** The folder of triggered images, where there was one instead. */
  triggered: z.string().optional(),
  target: z.string().optional(),
  ...warningFields,
  /** A trigger that the checkpoint carries and that leads to no class of this data. */
  elsewhere: z.looseObject({ kind: z.string(), target: z.string() }).optional(),
  /** Beside a receipt: hashes of weights and images, and the triggers that the checkpoint says it carries. */
  measuredOn: measuredOn.optional(),
  carried: z
    .array(z.looseObject({ kind: z.string(), spec: z.record(z.string(), z.unknown()), target: z.string() }))
    .optional(),
  receipt: comparison.optional(),
  seconds: z.number(),
  machine,
});
export type EvalResult = Frozen<z.output<typeof evalResult>>;
