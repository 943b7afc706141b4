/**
 * Fine-tuning on clean images under the frozen zero-shot head, or on clean pairs by contrast: the least that a defender can do, and CleanCLIP's supervised variant
 * (arXiv 2303.03323) but for its linear head. The backdoor is forgotten as far as other things are learned. Learning rate by validation.
 */
import { usualTask } from "../engine/tasks.ts";
import { choosing, type Defense, type Learning, learningRates } from "./defense.ts";

export const cleanFinetune: Defense = {
  name: "clean-finetune",
  title: "Clean fine-tuning",
  about: "trains on clean images and their labels; its learning rate is chosen on validation",
  needs: ["clean images"],
  control: true,
  cost: ({ clean, epochs }) => ({ trained: learningRates.length * clean * epochs, measured: learningRates.length }),
  run: (input) => choosing(input, "lr", learningRates, (lr) => input.learn(input.clean, onLabels, { lr })),
};

/** Cross-entropy to the labels under the frozen head; of pairs CLIP's own loss. */
export const onLabels = ({ clip, data, head, recipe }: Learning) => usualTask(clip, data, head, recipe);
