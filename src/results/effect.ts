/** CA, ASR, and what a trigger does, as results hold them. */
import { z } from "zod";
import { type Frozen, maybe, quotient, rate } from "./base.ts";

/** Of two rates on the same images (`paired`) or on others, with a 95 % interval. */
export const difference = z.looseObject({
  value: quotient,
  interval: z.tuple([z.number(), z.number()]),
  n: z.number(),
  paired: z.boolean(),
  alone: maybe(z.tuple([z.number(), z.number()]), "Of pairs: images that count for the first, and the second, alone."),
});

/** Clean accuracy (agreement with the model before where there were no labels) and attack success rate. */
export const scores = z.looseObject({ ca: rate, asr: rate });
export type Scores = Frozen<z.output<typeof scores>>;

/** With what the trigger does: the rate without it, the difference, and how many triggered images are still answered rightly. */
export const effectScores = scores.extend({
  withoutTrigger: rate,
  difference,
  triggeredAccuracy: rate.optional(),
});
export type EffectScores = Frozen<z.output<typeof effectScores>>;

/** Of a cleaned model. */
export const afterScores = effectScores.extend({
  stillRight: maybe(rate, "Clean images right before and after, for the interval of the retention. Absent in 0.1.0."),
});
export type AfterScores = Frozen<z.output<typeof afterScores>>;
