/** How much of a model learns by a recipe: an optimizer keeps two moments of each value. */
import { type ClipConfig, parameterShapes } from "../checkpoint/config/config.ts";
import { isStatistic } from "../clip/batch-norm.ts";
import { isVision } from "../clip/parameters.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { Recipe } from "./finetune.ts";
import { hasFactors, rankOf, usualRank } from "./lora.ts";
import { isLogit } from "./objectives.ts";
import { partOf } from "./tasks.ts";

type Learning = Pick<Recipe, "objective" | "train" | "temperature" | "modules" | "rank">;

/** Values that a training by this recipe changes; of low-rank factors those of the factors. */
export function learnedValues(config: ClipConfig, recipe: Learning): number {
  const { objective, train, temperature, modules, rank = usualRank } = recipe;
  const both = objective === "contrastive" && train !== "image";
  const isIn = partOf(config, modules);
  const isTower = (name: string) => (both ? !isLogit(name) || temperature === "learned" : isVision(name) && isIn(name));
  let count = 0;
  for (const [name, shape] of parameterShapes(config)) {
    if (isStatistic(name) || !isTower(name)) continue;
    if (modules !== "lora") count += sizeOf(shape);
    else if (hasFactors(name, shape)) count += rankOf(shape, rank) * (shape[0] + shape[1]);
  }
  return count;
}

/** Bytes of AdamW's two moments of each value that learns. */
export const momentBytes = (config: ClipConfig, recipe: Learning): number => 2 * 4 * learnedValues(config, recipe);
