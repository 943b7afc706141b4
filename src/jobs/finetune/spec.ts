/** What may be asked of a fine-tuning. */
import { z } from "zod";
import { checkpointOut, inputFields, recipeFields, runFields, setFields, training } from "../fields.ts";

export const finetuneSpec = z.strictObject({
  ...inputFields,
  ...setFields,
  recipe: z
    .strictObject({
      ...recipeFields,
      modules: training(
        z.enum(["all", "projection"]).default("all"),
        "what learns: all of the image tower, or its projection, the last linear map, alone: quicker, and a merge keeps more of it",
        "which",
      ),
    })
    .prefault({}),
  ...runFields,
  ...checkpointOut("fine-tuned"),
});
export type FinetuneSpec = z.output<typeof finetuneSpec>;
