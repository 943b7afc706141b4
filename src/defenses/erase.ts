/**
 * Erasure of the trigger's step (ours): of each linear map W of the image tower what it makes of the step that the trigger makes in its inputs, and as little
 * as can be of what it makes of clean ones, by least squares: tau = W K, theta_b - alpha tau. In closed form, nothing is trained. LEACE (arXiv 2306.03819)
 * erases a concept from one layer's values by such moments; here it is the trigger, from what every map reads, and the weights that change.
 */
import type { Defense } from "./defense.ts";
import { lambdasOf, regressedOn } from "./regressed.ts";

/** Where alpha is looked for first: every map takes part, and what one of them has taken out reaches none after it. At 1 some models are past use. */
const start = 1 / 4;

export const erase: Defense = {
  name: "erase",
  title: "Step erasure (ours)",
  about: "takes out of every linear map what it makes of the step that the trigger makes in its inputs; no training",
  needs: ["pairs or clean images", "a transformer"],
  cost: (sizes) => ({ trained: 0, encoded: 3 * sizes.forget + sizes.clean, ...lambdasOf(sizes) }),
  async run(input) {
    return regressedOn(input, input.backdoored, () => start);
  },
};
