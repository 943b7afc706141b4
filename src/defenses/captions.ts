/** What defenses that learn from captions have in common. */
import { isVision } from "../clip/parameters.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Recipe, Task } from "../engine/finetune.ts";
import { type CaptionBatch, clampLogitScale } from "../engine/objectives.ts";
import { badInput } from "../tensor/error.ts";
import type { DefenseInput, Learning } from "./defense.ts";

/** The clean pairs. Throws `bad-input` where there are none. */
export function captionsNeeded(name: string, { captioned }: DefenseInput): Dataset {
  if (captioned === undefined) throw badInput(`${name} needs images with captions; clean-finetune does with labels`);
  return captioned;
}

/** Pairs of a batch: CleanCLIP's and CLIP fine-tuning's number, which the others are held to here. A pair's negatives are those of its batch. */
const batch = 64;

/** The recipe in contrastive batches. Where both towers learn, so does the temperature, as in CleanCLIP's code. */
export const contrastRecipe = (recipe: Recipe, { size }: Dataset): Recipe => ({
  ...recipe,
  batch: Math.min(batch, size),
  ...(recipe.train === "both" && { temperature: "learned" }),
});

/** The image tower alone learns; both where the cleaning is by contrast in both, and accuracy is that under the live head. */
export function learningTowers<Batch>({ clip, recipe }: Learning, task: Task<Batch>): Task<Batch> {
  if (recipe.train !== "both") return imageTowerAlone(task);
  return clip.config.vision.kind === "siglip" ? task : { ...task, constrain: clampLogitScale };
}

/** The image tower alone learns: accuracy is that under the frozen head, which the text tower made. */
export const imageTowerAlone = <Batch>(task: Task<Batch>): Task<Batch> => ({
  ...task,
  objective: { ...task.objective, trains: (name) => isVision(name) && task.objective.trains(name) },
});

/** The texts of a batch as they came. */
export function captionsOf({ captions }: CaptionBatch): readonly string[] {
  if (captions === undefined) throw new RangeError("a batch without its captions");
  return captions;
}

/** The same task with each of its batches made into another; `step` counts from 0. */
export function mapped<From, To>(
  task: Pick<Task<From>, "batches" | "steps">,
  of: (batch: From, step: number) => To | Promise<To>,
): Pick<Task<To>, "batches" | "steps"> {
  return {
    steps: task.steps,
    async *batches(from) {
      let step = from;
      for await (const one of task.batches(from)) yield of(one, step++);
    },
  };
}
