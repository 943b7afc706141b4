/** What may be asked of a fine-tuning. */
import { z } from "zod";
import { a, checkpointOut, inputFields, runFields, setFields, training } from "../fields.ts";
import { learningFields } from "../learning-fields.ts";
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
        z.enum(["all", "last-block", "projection"]).default("all"),
        "what learns: all of the image tower, what comes from its last block on, or the projection, the last linear map, alone: quicker, and a merge keeps more of it",
        "which",
      ),
    })
    .prefault({}),
  ...runFields,
  ...checkpointOut("fine-tuned"),
});
export type FinetuneSpec = z.output<typeof finetuneSpec>;
