/** What may be asked of a fine-tuning. */
import { z } from "zod";
import { inputFields, outFields, recipeFields, runFields, setFields, training } from "../fields.ts";

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
  ...outFields(
    "where the fine-tuned checkpoint goes: a folder, or a file where --model is one",
    "where shall the fine-tuned checkpoint go?",
  ),
});
export type FinetuneSpec = z.output<typeof finetuneSpec>;
