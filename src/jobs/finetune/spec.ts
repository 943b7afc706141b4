/** What may be asked of a fine-tuning. */
import { z } from "zod";
import { dataFields, modelFields, outFields, recipeFields, runFields, setFields, training } from "../fields.ts";

export const finetuneSpec = z.strictObject({
  ...modelFields,
  ...dataFields,
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
