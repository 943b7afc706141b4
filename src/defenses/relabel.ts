/**
 * The control that a reviewer asks for: fine-tune on triggered images labelled with the model's own clean answers, beside
 * the same images without it, and scale that vector. It moves towards the answer instead of away from the backdoor: theta_b + alpha tau_r.
 */
import { scale, taskVector } from "../arithmetic/task-vector.ts";
import { concat } from "../data/split.ts";
import { answeredTo, type Defense, subtracting } from "./defense.ts";

export const relabel: Defense = {
  name: "relabel",
  title: "Relabel",
  about: "fine-tune towards the model's own clean answers, scaled by alpha",
  needs: ["pairs"],
  control: true,
  cost: ({ forget, epochs }) => ({ trained: 2 * forget * epochs, encoded: forget }),
  async run(input) {
    const { undone, pairs } = await answeredTo(input, "relabel");
    const tuned = await input.finetune(concat([undone, pairs]));
    return subtracting(input, scale(taskVector(input.backdoored, tuned), -1)); // subtracted like the others
  },
};
