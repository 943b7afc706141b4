/** A square fitted per class, at places all over the image. */
import type { Detector } from "./detector.ts";
import { type Budget, type Family, fitted, fittedCost } from "./fitted.ts";
import { type Place, patch, patches } from "./forms/patch.ts";

const budget: Budget = {
  screen: { steps: 6, images: 4 },
  keep: 3,
  confirm: { steps: 14, each: 2, images: 12 },
};

/** Squares of 12 pixels of 56: a grid of 4 x 4 leaves 3 or 2 pixels between them, so that one overlaps any patch by a good part. */
const share = 12 / 56;

/** In units of the room that a square has: the four squares of a group are learned together, and taken apart when fitted anew. */
const groups: readonly (readonly Place[])[] = [
  corners(0, 2 / 3, 0, 2 / 3),
  corners(0, 2 / 3, 1 / 3, 1),
  corners(1 / 3, 1, 0, 2 / 3),
  corners(1 / 3, 1, 1 / 3, 1),
];

function corners(top: number, bottom: number, left: number, right: number): readonly Place[] {
  return [top, bottom].flatMap((r) => [left, right].map((c): Place => [r, c]));
}

export function families(S: number): readonly Family[] {
  const side = Math.max(2, Math.round(share * S));
  const at = (part: number) => Math.round(part * (S - side));
  return groups.map((group) => {
    const places = group.map(([r, c]): Place => [at(r), at(c)]);
    return { screen: patches(S, side, places), confirm: places.map((place) => patch(S, side, place)) };
  });
}

export const fittedPatch: Detector = {
  name: "fitted-patch",
  title: "Fitted patch",
  about: "a square fitted per class at 16 places with a fixed budget",
  statistic: "highest share of held-out images that such a square carries to its class",
  needs: ["class names"],
  quick: true,
  cost: (size) => fittedCost(size, groups.length, 4, budget),
  run: (input) => fitted(input, families(input.suspect.clip.config.vision.imageSize), budget, "fitted-patch"),
};
