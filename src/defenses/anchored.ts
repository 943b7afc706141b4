/** TBAR with an anchored forget set (ours): a quarter as many clean images keep the vector from unlearning the task itself. */
import { taskVector } from "../arithmetic/task-vector.ts";
import type { Dataset } from "../data/dataset.ts";
import { concat, take } from "../data/split.ts";
import { type Defense, subtracting } from "./defense.ts";

export const anchored: Defense = {
  name: "anchored",
  title: "TBAR, anchored (ours)",
  about: "with a quarter as many clean images in the forget set",
  needs: ["clean images"],
  cost: ({ anchored, epochs }) => ({ trained: anchored * epochs }),
  async run(input) {
    const tuned = await input.finetune(input.anchored);
    return subtracting(input, taskVector(input.backdoored, tuned), { anchor: anchorShare });
  },
};

/** Clean images beside each triggered one. */
export const anchorShare = 0.25;

/** The forget set with its anchor. */
export function anchoredSet(forget: Dataset, clean: Dataset): Dataset {
  return concat([forget, take(clean, Math.round(anchorShare * forget.size))]);
}
