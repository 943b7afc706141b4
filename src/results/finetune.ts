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
  before: rate.describe("Clean accuracy on the test set."),
  after: rate,
  output: z.looseObject({ path: z.string() }).optional().describe("Absent where nothing was written."),
  seconds: z.number(),
  timings,
  machine,
});
export type FinetuneResult = Frozen<z.output<typeof finetuneResult>>;
