/** A pattern behind a mask of its own for each colour, both learned as they are and cut to [0, 1]: InverTune's parametrisation. */
import { type InvertedSpec, storeValues } from "../../triggers/inverted.ts";
import type { Form } from "./form.ts";

/** x' = (1 - m) x + m p for images of S x S: parameters are m [3, S, S], then p [3, S, S]. `weight` times the sum of m is minimised as well. */
export function colorMask(S: number, weight = 0): Form {
  const all = 3 * S * S;
  return {
    name: "color-mask",
    size: 2 * all,
    lr: 0.05,
    start: (stream) => Float32Array.from({ length: 2 * all }, (_, i) => (i < all ? 0.1 : 1) * stream.uniform()),
    stamp(v, image, out) {
      for (let i = 0; i < all; i++) out[i] = image[i] + v[i] * (v[all + i] - image[i]);
    },
    pull(v, image, dy, into) {
      for (let i = 0; i < all; i++) {
        into[i] += dy[i] * (v[all + i] - image[i]);
        into[all + i] += dy[i] * v[i];
      }
    },
    penalty(_, into) {
      for (let i = 0; i < all; i++) into[i] += weight;
    },
    project(v) {
      for (let i = 0; i < v.length; i++) v[i] = Math.min(1, Math.max(0, v[i]));
    },
    trigger: (v): InvertedSpec => ({
      kind: "inverted",
      seed: 0,
      form: "mask",
      S,
      mask: storeValues(v.subarray(0, all)),
      values: storeValues(v.subarray(all)),
    }),
  };
}
