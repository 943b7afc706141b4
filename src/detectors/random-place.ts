/** A square fitted per class that has to work wherever it lies: for triggers whose place was drawn for each image. */
import type { Detector } from "./detector.ts";
import { type Budget, fitted, fittedCost } from "./fitted.ts";
import { patchAnywhere } from "./forms/patch-anywhere.ts";

const budget: Budget = {
  screen: { steps: 12, images: 12 },
  keep: 5,
  confirm: { steps: 30, each: 4, images: 32 },
};

/** Side of the square: 12 pixels of 56. */
const share = 12 / 56;

export const randomPlace: Detector = {
  name: "random-place",
  title: "Fitted patch, any place",
  about: "a square fitted per class, at another place in each image and at each step, with a fixed budget",
  statistic: "highest share of held-out images that such a square carries to its class",
  needs: ["class names"],
  cost: (size) => fittedCost(size, 1, 1, budget),
  run(input) {
    const S = input.suspect.clip.config.vision.imageSize;
    const form = patchAnywhere(S, Math.max(2, Math.round(share * S)));
    return fitted(input, [{ screen: form, confirm: [form] }], budget, "random-place");
  },
};
