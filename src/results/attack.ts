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
  trigger: storedTrigger.describe("Complete: what was fitted is part of it."),
  target: z.string(),
  ...warningFields,
  poison: z.looseObject({
    rate: z.number(),
    images: z.number(),
    poisoned: z.number(),
    boost: z.number().optional().describe("Poisoned images carried the trigger up to so many times."),
  }),
  ...trainingFields,
  before: effectScores,
  after: effectScores,
  carried: z
    .array(z.looseObject({ trigger: storedTrigger, target: z.string(), before: rate, after: rate }))
    .optional()
    .describe("Triggers that the model carried before: their ASR before and after."),
  succeeded: z
    .boolean()
    .describe(
      "ASR reached 90 % and is the trigger's doing (the difference it makes lies above 10 %), and that of no carried trigger fell below.",
    ),
  took: z.boolean().describe("The same under its name of 0.1.0."),
  advice: z.array(z.string()).describe("If it did not succeed: likely reasons, and what to change."),
  output: z.looseObject({ path: z.string() }).optional(),
  seconds: z.number(),
  timings,
  machine,
});
export type AttackResult = Frozen<z.output<typeof attackResult>>;
