/** How a model is trained where that may be on labels or on pairs of image and caption. */
import { z } from "zod";
import { moduleChoices } from "../engine/finetune.ts";
import { a, recipeFields, training } from "./fields.ts";

export const learningFields = {
  ...recipeFields,
  objective: training(
    z.enum(["classification", "contrastive"]).optional(),
    "the loss: classification of labels under the frozen head (the default), or contrastive, over image and caption",
    "which",
  ),
  train: training(
    z.enum(["image", "both"]).optional(),
    "by contrast: the image tower alone, or both (the default)",
    "which",
  ),
};

/** Less than all that could learn. */
export const lessLearns = {
  modules: z.enum(moduleChoices),
  rank: training(a.count().max(1024).optional(), "of --modules lora: the rank of its factors (default: 8)"),
};
