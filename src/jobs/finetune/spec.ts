/** What may be asked of a fine-tuning. */
import { z } from "zod";
import { a, checkpointOut, inputFields, runFields, setFields, training } from "../fields.ts";
import { learningFields, lessLearns } from "../learning-fields.ts";
import { triggerFields } from "../trigger-fields.ts";

export const finetuneSpec = z.strictObject({
  ...inputFields,
  ...setFields,
  ...triggerFields,
  triggerShare: training(
    a.share().optional(),
    "put the trigger on this share of the training images, under the target's label: 1 is a forget set, less a mixture",
    "share",
  ),
  recipe: z
    .strictObject({
      ...learningFields,
      modules: training(
        lessLearns.modules.default("all"),
        "what learns: all of the image tower, what comes from its last block on, the projection, the last linear map, alone, or low-rank factors beside its matrices (lora): quicker, and a merge keeps more of it",
        "which",
      ),
      rank: lessLearns.rank,
    })
    .prefault({}),
  ...runFields,
  ...checkpointOut("fine-tuned"),
});
export type FinetuneSpec = z.output<typeof finetuneSpec>;
