/** A perturbation of the whole image, bounded in each value, fitted per class. */
import { type Budget, fittedDetector, oneForm } from "./fitted.ts";
import { delta } from "./forms/delta.ts";

const budget: Budget = {
  screen: { steps: 8, images: 4 },
  keep: 5,
  confirm: { steps: 16, each: 2, images: 16 },
};

/** In units of the pixel range. Beyond it clean models give way too. */
export const epsilon = 16 / 255;

export const fittedDelta = fittedDetector(
  {
    name: "fitted-delta",
    title: "Fitted perturbation",
    about: "a perturbation of at most 16/255 fitted per class with a fixed budget",
    statistic: "highest share of held-out images that such a perturbation carries to its class",
    quick: true,
  },
  budget,
  (S) => oneForm(delta(S, epsilon)),
);
