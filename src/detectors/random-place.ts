/** A square fitted per class that has to work wherever it lies: for triggers whose place was drawn for each image. */
import { type Budget, fittedDetector, oneForm } from "./fitted.ts";
import { sideOfSquare } from "./forms/patch.ts";
import { patchAnywhere } from "./forms/patch-anywhere.ts";

const budget: Budget = {
  screen: { steps: 12, images: 12 },
  keep: 5,
  confirm: { steps: 30, each: 4, images: 32 },
};

export const randomPlace = fittedDetector(
  {
    name: "random-place",
    title: "Fitted patch, any place",
    about: "a square fitted per class, at another place in each image and at each step, with a fixed budget",
    statistic: "highest share of held-out images that such a square carries to its class",
  },
  budget,
  (S) => oneForm(patchAnywhere(S, sideOfSquare(S))),
);
