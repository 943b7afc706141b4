/** What a fine-tuning leaves behind. */
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

export const finetuneResult = z.looseObject({
  ...resultHead("finetune", 2),
  ...madeFields,
  seed: z.number(),
  model: checkpointFacts,
  data: z.string(),
  ...warningFields,
  images: z.number(),
  ...trainingFields,
  /** Clean accuracy on the test set. */
  before: rate,
  after: rate,
  /** Absent where nothing was written. */
  output: z.looseObject({ path: z.string() }).optional(),
  seconds: z.number(),
  timings,
  machine,
});
export type FinetuneResult = Frozen<z.output<typeof finetuneResult>>;
