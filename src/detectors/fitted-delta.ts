/** A perturbation of the whole image, bounded in each value, fitted per class. */
import type { Detector } from "./detector.ts";
import { type Budget, fitted, fittedCost } from "./fitted.ts";
import { delta } from "./forms/delta.ts";

const budget: Budget = {
  screen: { steps: 8, images: 4 },
  keep: 5,
  confirm: { steps: 16, each: 2, images: 16 },
};

/** In units of the pixel range. Beyond it clean models give way too. */
const epsilon = 16 / 255;

export const fittedDelta: Detector = {
  name: "fitted-delta",
  title: "Fitted perturbation",
  about: "a perturbation of at most 16/255 fitted per class with a fixed budget",
  statistic: "highest share of held-out images that such a perturbation carries to its class",
  needs: ["class names"],
  quick: true,
  cost: (size) => fittedCost(size, 1, 1, budget),
  run(input) {
    const form = delta(input.suspect.clip.config.vision.imageSize, epsilon);
    return fitted(input, [{ screen: form, confirm: [form] }], budget, "fitted-delta");
  },
};
