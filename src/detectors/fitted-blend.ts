/** A pattern mixed into the whole image, fitted per class. */
import { type Budget, fittedDetector, oneForm } from "./fitted.ts";
import { blend } from "./forms/blend.ts";

const budget: Budget = {
  screen: { steps: 4, images: 4 },
  keep: 5,
  confirm: { steps: 10, each: 2, images: 16 },
};

/** Share of the pattern. */
export const ratio = 0.2;

export const fittedBlend = fittedDetector(
  {
    name: "fitted-blend",
    title: "Fitted blend",
    about: "a pattern of which 20 % is mixed in, fitted per class with a fixed budget",
    statistic: "highest share of held-out images that such a pattern carries to its class",
    quick: true,
  },
  budget,
  (S) => oneForm(blend(S, ratio)),
);
