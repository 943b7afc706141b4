/**
 * Standard fine-tuning of CLIP on clean pairs, as CleanCLIP's paper (arXiv 2303.03323) compares with: the model's own loss over images and
 * captions, and nothing else.
 */
import { byContrast } from "../engine/tasks.ts";
import { captionsNeeded, contrastRecipe, learningTowers } from "./captions.ts";
import { choosing, type Defense, type Learning, learningRates } from "./defense.ts";

export const clipFinetune: Defense = {
  name: "clip-finetune",
  title: "CLIP fine-tuning",
  about: "trains on clean images and their captions by contrast; its learning rate is chosen on validation",
  needs: ["captions"],
  control: true,
  cost: ({ clean, epochs }) => ({ trained: learningRates.length * clean * epochs, measured: learningRates.length }),
  run: (input) => {
    const pairs = captionsNeeded("clip-finetune", input);
    return choosing(input, "lr", learningRates, (lr) => input.learn(pairs, onPairs, { lr }));
  },
};

const onPairs = (learning: Learning) => {
  const { clip, data, recipe } = learning;
  return learningTowers(learning, byContrast(clip, data, contrastRecipe(recipe, data)));
};
