/** One perturbation for all images, bounded in each value: x' = clip(x + delta), |delta| <= epsilon. */
import { type InvertedSpec, storeValues } from "../../triggers/inverted.ts";
import type { Form } from "./form.ts";

/** For images of S x S; epsilon in units of the pixel range. */
export function delta(S: number, epsilon: number): Form {
  const size = 3 * S * S;
  return {
    name: "delta",
    size,
    lr: epsilon / 4,
    start: (stream) => Float32Array.from({ length: size }, () => epsilon * (2 * stream.uniform() - 1)),
    stamp(d, image, out) {
      for (let i = 0; i < size; i++) out[i] = Math.min(1, Math.max(0, image[i] + d[i]));
    },
    pull(d, image, dy, into) {
      for (let i = 0; i < size; i++) {
        const value = image[i] + d[i];
        if (value >= 0 && value <= 1) into[i] += dy[i];
      }
    },
    project(d) {
      for (let i = 0; i < size; i++) d[i] = Math.min(epsilon, Math.max(-epsilon, d[i]));
    },
    trigger: (d): InvertedSpec => ({
      kind: "inverted",
      seed: 0,
      form: "delta",
      S,
      range: epsilon,
      values: storeValues(d, epsilon),
    }),
  };
}
