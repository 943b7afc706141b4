/** A smooth warp fitted per class. */
import { type Budget, fittedDetector, oneForm } from "./fitted.ts";
import { warp } from "./forms/warp.ts";

const budget: Budget = {
  screen: { steps: 8, images: 6 },
  keep: 5,
  confirm: { steps: 16, each: 2, images: 16 },
};

/** Control points a side; the farthest that one may move a pixel, of the image's side: 2 pixels of 56. */
const points = 7;
const share = 2 / 56;

export const fittedWarp = fittedDetector(
  {
    name: "fitted-warp",
    title: "Fitted warp",
    about: `a warp through ${points} x ${points} points, of 1/28 of the image's side at most, fitted per class with a fixed budget`,
    statistic: "highest share of held-out images that such a warp carries to its class",
  },
  budget,
  (S) => oneForm(warp(S, Math.min(points, S), share * S)),
);
