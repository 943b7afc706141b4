/** What a fine-tuning leaves behind. */
import { z } from "zod";
import {
  checkpointFacts,
  type Frozen,
  implanted,
  madeHead,
  maybe,
  ranFields,
  rate,
  trainingFields,
  warningFields,
} from "./base.ts";

export const finetuneResult = z.looseObject({
  ...madeHead("finetune", 2),
  seed: z.number(),
  model: checkpointFacts,
  data: z.string(),
  ...warningFields,
  images: z.number(),
  triggered: maybe(
    implanted.extend({ share: z.number().optional() }),
    "The trigger that a share of the images carried, under the target's label; absent of clean ones.",
  ),
  ...trainingFields,
  learned: maybe(
    z.looseObject({ values: z.number(), momentBytes: z.number(), peakBytes: z.number(), seconds: z.number() }),
    "How many values learned, bytes of the optimizer's moments of them, the most memory that the process held by the end of the training, and the seconds that it took.",
  ),
  before: rate.describe("Clean accuracy on the test set."),
  after: rate,
  frozenHead: maybe(
    rate,
    "Where both towers learned: accuracy under the head of the text tower as it came. The others are of the live one.",
  ),
  output: maybe(z.looseObject({ path: z.string() }), "Absent where nothing was written."),
  ...ranFields,
});
export type FinetuneResult = Frozen<z.output<typeof finetuneResult>>;
