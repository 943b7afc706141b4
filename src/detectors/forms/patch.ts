/** Squares of pixels at fixed places: x' = sigmoid(p) inside them, x outside. */
import { type InvertedSpec, storeValues } from "../../triggers/inverted.ts";
import type { Form } from "./form.ts";
import { sigmoid, somewhere } from "./sigmoid.ts";

/** The upper left pixel of a square. */
export type Place = readonly [row: number, column: number];

/** Side of the squares that are fitted, in images of S x S: 12 pixels of 56. */
export const sideOfSquare = (S: number): number => Math.max(2, Math.round((12 / 56) * S));

/** Squares of `side`, one at each place, all learned together, in images of S x S. Its trigger is that of the first place alone. */
export function patches(S: number, side: number, places: readonly Place[]): Form {
  const each = 3 * side * side;
  const size = each * places.length;
  const pixel = Int32Array.from({ length: size }, (_, i) => {
    const [row, column] = places[Math.floor(i / each)];
    const [c, r, x] = [Math.floor((i % each) / (side * side)), Math.floor(i / side) % side, i % side];
    return (c * S + row + r) * S + column + x;
  });
  const [[row, column]] = places;
  return {
    name: "patch",
    size,
    lr: 0.3,
    start: (stream) => Float32Array.from({ length: size }, () => somewhere(stream)),
    stamp(p, image, out) {
      out.set(image);
      for (let i = 0; i < size; i++) out[pixel[i]] = sigmoid(p[i]);
    },
    pull(p, _, dy, into) {
      for (let i = 0; i < size; i++) {
        const value = sigmoid(p[i]);
        into[i] += dy[pixel[i]] * value * (1 - value);
      }
    },
    trigger: (p): InvertedSpec => ({
      kind: "inverted",
      seed: 0,
      form: "patch",
      S,
      side,
      row,
      column,
      values: storeValues(p.subarray(0, each).map(sigmoid)),
    }),
  };
}

/** One square. */
export const patch = (S: number, side: number, place: Place): Form => patches(S, side, [place]);
