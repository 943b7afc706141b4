/** A square fitted per class, at places all over the image. */
import { type Budget, type Family, fittedDetector } from "./fitted.ts";
import type { Form } from "./forms/form.ts";
import { type Place, patch, patches, sideOfSquare } from "./forms/patch.ts";

const budget: Budget = {
  screen: { steps: 6, images: 4 },
  keep: 3,
  confirm: { steps: 14, each: 2, images: 12 },
};

/**
 * In units of the room that a square has: a grid of 4 x 4, of which four squares at a time are learned together and taken apart when fitted
 * anew. With 12 pixels of 56 it leaves 3 or 2 between them, so that one overlaps any patch by a good part.
 */
const groups: readonly (readonly Place[])[] = [
  corners(0, 2 / 3, 0, 2 / 3),
  corners(0, 2 / 3, 1 / 3, 1),
  corners(1 / 3, 1, 0, 2 / 3),
  corners(1 / 3, 1, 1 / 3, 1),
];
/** The grid of 3 x 3 between its lines. */
const between: readonly Place[] = [1 / 6, 1 / 2, 5 / 6].flatMap((r) => [1 / 6, 1 / 2, 5 / 6].map((c): Place => [r, c]));

function corners(top: number, bottom: number, left: number, right: number): readonly Place[] {
  return [top, bottom].flatMap((r) => [left, right].map((c): Place => [r, c]));
}

function pixelsOf(S: number, places: readonly Place[]): readonly Place[] {
  const room = S - sideOfSquare(S);
  return places.map(([r, c]): Place => [Math.round(r * room), Math.round(c * room)]);
}

/** A square at each of 25 places: of both grids. */
export const everywhere = (S: number): readonly Form[] =>
  pixelsOf(S, [...groups.flat(), ...between]).map((place) => patch(S, sideOfSquare(S), place));

/** Squares at the places of the 4 x 4 grid. */
export function squares(S: number): readonly Family[] {
  const side = sideOfSquare(S);
  return groups.map((group) => {
    const places = pixelsOf(S, group);
    return { screen: patches(S, side, places), confirm: places.map((place) => patch(S, side, place)) };
  });
}

export const fittedPatch = fittedDetector(
  {
    name: "fitted-patch",
    title: "Fitted patch",
    about: "a square fitted per class at 16 places with a fixed budget",
    statistic: "highest share of held-out images that such a square carries to its class",
    quick: true,
  },
  budget,
  squares,
);
