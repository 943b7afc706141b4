/**
 * I-BAU (arXiv 2110.03735): a universal perturbation that the model fails under most (inner problem), then fine-tuning on images that carry
 * it under their right labels (outer problem), a few times over. It needs no trigger. Ours: rounds of ordinary fine-tuning in place of
 * the implicit hypergradient, the model's own answers where there are no labels, and the change of weights scaled by alpha.
 */
import { taskVector } from "../arithmetic/task-vector.ts";
import { concat } from "../data/split.ts";
import type { Weights } from "../tensor/tensor.ts";
import { type Defense, subtracting } from "./defense.ts";

export const iBauRounds = 3;

export const iBau: Defense = {
  name: "i-bau",
  title: "I-BAU",
  about: "unlearns universal perturbations, each found on the weights so far; scaled by alpha",
  paper: "arXiv 2110.03735",
  needs: ["clean images"],
  control: true,
  // an inner step's gradient to pixels is about one image trained on
  cost: ({ clean, epochs }) => ({ trained: iBauRounds * 3 * clean * epochs }),
  async run(input) {
    let weights: Weights = input.backdoored;
    for (let round = 0; round < iBauRounds; round++) {
      const perturbed = await input.perturbed(input.clean, { weights, seed: round });
      weights = await input.finetune(concat([perturbed, input.clean]), { seed: round, from: weights });
    }
    return subtracting(input, taskVector(weights, input.backdoored)); // towards the tuned weights, subtracted like the others
  },
};
