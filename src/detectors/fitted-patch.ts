/** A square fitted per class, at places all over the image. */
import type { Detector } from "./detector.ts";
import { type Budget, type Family, fitted, fittedCost } from "./fitted.ts";
import { type Place, patch, patches } from "./forms/patch.ts";

const budget: Budget = {
  screen: { steps: 6, images: 6 },
  keep: 2,
  confirm: { steps: 14, each: 2, images: 12 },
};

/** Squares of 12 pixels of 56, on a grid of 4 x 4 and one of 3 x 3 between its lines: one of them overlaps any patch by a good part. */
const share = 12 / 56;

/** In units of the room that a square has; four or five squares of each group are learned together, and taken apart when fitted anew. */
const [first, second, third] = [1 / 6, 1 / 2, 5 / 6];
const groups: readonly (readonly Place[])[] = [
  corners(0, 2 / 3, 0, 2 / 3),
  corners(0, 2 / 3, 1 / 3, 1),
  corners(1 / 3, 1, 0, 2 / 3),
  corners(1 / 3, 1, 1 / 3, 1),
  [...corners(first, third, first, third), [second, second]],
  [[first, second], [second, first], [second, third], [third, second]],
]; // biome-ignore format: a grid

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
  about: "a square fitted per class at 25 places with a fixed budget",
  statistic: "highest share of held-out images that such a square carries to its class",
  needs: ["class names"],
  quick: true,
  cost: (size) => fittedCost(size, groups.length, 25 / groups.length, budget),
  run: (input) => fitted(input, families(input.suspect.clip.config.vision.imageSize), budget, "fitted-patch"),
};
