/** A pattern mixed into the whole image, fitted per class. */
import type { Detector } from "./detector.ts";
import { type Budget, fitted, fittedCost } from "./fitted.ts";
import { blend } from "./forms/blend.ts";

const budget: Budget = {
  screen: { steps: 4, images: 4 },
  keep: 5,
  confirm: { steps: 10, each: 2, images: 16 },
};

const ratio = 0.2;

export const fittedBlend: Detector = {
  name: "fitted-blend",
  title: "Fitted blend",
  about: "a pattern of which 20 % is mixed in, fitted per class with a fixed budget",
  statistic: "highest share of held-out images that such a pattern carries to its class",
  needs: ["class names"],
  quick: true,
  cost: (size) => fittedCost(size, 1, 1, budget),
  run(input) {
    const form = blend(input.suspect.clip.config.vision.imageSize, ratio);
    return fitted(input, [{ screen: form, confirm: [form] }], budget, "fitted-blend");
  },
};
