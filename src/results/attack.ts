/** What an attack leaves behind. */
import { z } from "zod";
import {
  checkpointFacts,
  type Frozen,
  madeHead,
  maybe,
  ranFields,
  rate,
  strings,
  trainingFields,
  warningFields,
} from "./base.ts";
import { effectScores, scores } from "./effect.ts";
import { storedTrigger } from "./trigger.ts";

const carried = z.looseObject({ trigger: storedTrigger, target: z.string(), before: rate, after: rate });

export const attackResult = z.looseObject({
  ...madeHead("attack", 2),
  seed: z.number(),
  model: checkpointFacts,
  trigger: storedTrigger.describe("Complete: what was fitted is part of it."),
  target: z.string(),
  ...warningFields,
  poison: z.looseObject({
    rate: z.number(),
    images: z.number(),
    poisoned: z.number(),
    boost: maybe(z.number(), "Poisoned images carried the trigger up to so many times."),
  }),
  ...trainingFields,
  before: effectScores,
  after: effectScores,
  frozenHead: maybe(
    scores,
    "Where both towers learned: after, under the head of the text tower as it came. The others are of the live one.",
  ),
  carried: maybe(z.array(carried), "Triggers that the model carried before: their ASR before and after."),
  succeeded: z
    .boolean()
    .describe("ASR reached 90 %, the difference that the trigger makes 10 %; ASR of no carried trigger fell below."),
  took: z.boolean().describe("The same under its name of 0.1.0."),
  advice: strings.describe("If it did not succeed: likely reasons, and what to change."),
  output: z.looseObject({ path: z.string() }).optional(),
  ...ranFields,
});
export type AttackResult = Frozen<z.output<typeof attackResult>>;
