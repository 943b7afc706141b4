/** What an attack leaves behind. */
import { z } from "zod";
import {
  checkpointFacts,
  type Frozen,
  machine,
  madeFields,
  rate,
  resultHead,
  timings,
  trainingFields,
  warningFields,
} from "./base.ts";
import { effectScores } from "./effect.ts";
import { storedTrigger } from "./trigger.ts";

export const attackResult = z.looseObject({
  ...resultHead("attack", 2),
  ...madeFields,
  seed: z.number(),
  model: checkpointFacts,
  /** Complete: what was fitted is part of it. */
  trigger: storedTrigger,
  target: z.string(),
  ...warningFields,
  poison: z.looseObject({
    rate: z.number(),
    images: z.number(),
    poisoned: z.number(),
    /** Poisoned images carried the trigger up to so many times. */
    boost: z.number().optional(),
  }),
  ...trainingFields,
  before: effectScores,
  after: effectScores,
  /** Triggers that the model carried before: their ASR before and after. */
  carried: z.array(z.looseObject({ trigger: storedTrigger, target: z.string(), before: rate, after: rate })).optional(),
  /** ASR reached 90 % and is the trigger's doing (the difference it makes lies above 10 %), and that of no carried trigger fell below. */
  succeeded: z.boolean(),
  /** The same under its name of 0.1.0. */
  took: z.boolean(),
  /** If it did not succeed: likely reasons, and what to change. */
  advice: z.array(z.string()),
  output: z.looseObject({ path: z.string() }).optional(),
  seconds: z.number(),
  timings,
  machine,
});
export type AttackResult = Frozen<z.output<typeof attackResult>>;
