/** One pattern mixed into all images: x' = (1 - ratio) x + ratio sigmoid(p). */
import { type InvertedSpec, storeValues } from "../../triggers/inverted.ts";
import type { Form } from "./form.ts";
import { sigmoid, somewhere } from "./sigmoid.ts";

/** For images of S x S; ratio in (0, 1]. */
export function blend(S: number, ratio: number): Form {
  const size = 3 * S * S;
  return {
    name: "blend",
    size,
    lr: 0.5,
    start: (stream) => Float32Array.from({ length: size }, () => somewhere(stream)),
    stamp(p, image, out) {
      for (let i = 0; i < size; i++) out[i] = (1 - ratio) * image[i] + ratio * sigmoid(p[i]);
    },
    pull(p, _, dy, into) {
      for (let i = 0; i < size; i++) {
        const value = sigmoid(p[i]);
        into[i] += ratio * dy[i] * value * (1 - value);
      }
    },
    trigger: (p): InvertedSpec => ({
      kind: "inverted",
      seed: 0,
      form: "blend",
      S,
      ratio,
      values: storeValues(p.map(sigmoid)),
    }),
  };
}
