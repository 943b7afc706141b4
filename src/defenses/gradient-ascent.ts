/**
 * Gradient ascent on the forget set: minimise minus the cross-entropy to the target (of pairs minus CLIP's own loss), the other way to
 * unlearn the same images. It diverges if left alone, so it takes small steps, its gradient is clipped as in every training here, and its
 * learning rate is chosen on validation images as alpha is. No published settings were found for CLIP.
 */
import type { Dataset } from "../data/dataset.ts";
import type { Task } from "../engine/finetune.ts";
import type { Objective } from "../engine/gradients.ts";
import { type UsualBatch, usualTask } from "../engine/tasks.ts";
import { neg } from "../graph/ops/index.ts";
import type { Weights } from "../tensor/tensor.ts";
import { choosing, type Defense, type DefenseInput, type Learning } from "./defense.ts";

/** Learning rates, as multiples of the recipe's: downhill there is an end, uphill there is none. */
export const ascentRates = [1 / 16, 1 / 4, 1 / 2, 1, 2, 4] as const;

export const gradientAscent: Defense = {
  name: "gradient-ascent",
  title: "Gradient ascent",
  about: "climbs the loss of triggered images to the target; its learning rate is chosen on validation",
  needs: [],
  control: true,
  cost: ({ forget, epochs }) => ({ trained: ascentRates.length * forget * epochs, measured: ascentRates.length }),
  run: (input) => choosing(input, "lr", ascentRates, (lr) => ascend(input, input.forget, lr)),
};

/** Weights after ascent on labelled images. */
export function ascend({ learn }: DefenseInput, data: Dataset, lr: number): Promise<Weights> {
  return learn(data, climbing, { lr });
}

function climbing({ clip, data, head, recipe }: Learning): Task<UsualBatch> {
  const usual = usualTask(clip, data, head, { ...recipe, batch: Math.min(recipe.batch, data.size) });
  return { ...usual, objective: ascent(usual.objective) };
}

/** The same objective, climbed. */
export function ascent<Batch>(usual: Objective<Batch>): Objective<Batch> {
  return { ...usual, loss: (...given) => neg(usual.loss(...given)) };
}
