/** A pattern behind a soft mask, one channel for all colours, anywhere in the image: Neural Cleanse's and DECREE's parametrisation. */
import { add, mul, sub } from "../../graph/ops/index.ts";
import type { Random } from "../../tensor/random.ts";
import { type InvertedSpec, storeValues } from "../../triggers/inverted.ts";
import type { Form, FormGraph } from "./form.ts";

/** y = tanh(v) / (2 - e) + 1/2, cut to [0, 1]: the ends are reached by finite v. */
const eps = 1e-7;
export const squashed = (v: number): number => Math.min(1, Math.max(0, Math.tanh(v) / (2 - eps) + 0.5));
const slope = (v: number): number => (1 - Math.tanh(v) ** 2) / (2 - eps);
/** The v whose y is U[0, 1). */
const anywhere = (stream: Random): number => Math.atanh((stream.uniform() - 0.5) * (2 - eps));

/** y and its slope for parameters, worked out anew where these changed: a step asks for the same ones twice for each of its images. */
function table(size: number): (v: Float32Array) => { readonly y: Float64Array; readonly dy: Float64Array } {
  const of = new Float32Array(size).fill(Number.NaN);
  const found = { y: new Float64Array(size), dy: new Float64Array(size) };
  return (v) => {
    for (let i = 0; i < size; i++) {
      if (v[i] === of[i]) continue;
      of[i] = v[i];
      found.y[i] = squashed(v[i]);
      found.dy[i] = slope(v[i]);
    }
    return found;
  };
}

/**
 * x' = (1 - m) x + m p for images of S x S: parameters are those of m [S, S], then of p [3, S, S]. `weight` times the sum of m over its
 * S S values is minimised beside the loss.
 */
export function mask(S: number, weight: () => number = () => 0): Form & { readonly graph: FormGraph } {
  const plane = S * S;
  const at = table(4 * plane);
  return {
    name: "mask",
    size: 4 * plane,
    lr: 0.1,
    start: (stream) => Float32Array.from({ length: 4 * plane }, () => anywhere(stream)),
    stamp(v, image, out) {
      const { y } = at(v);
      for (let k = 0; k < 3 * plane; k += plane)
        for (let i = 0; i < plane; i++) out[k + i] = image[k + i] + y[i] * (y[plane + k + i] - image[k + i]);
    },
    pull(v, image, dx, into) {
      const { y, dy } = at(v);
      for (let k = 0; k < 3 * plane; k += plane)
        for (let i = 0; i < plane; i++) {
          into[i] += dx[k + i] * (y[plane + k + i] - image[k + i]) * dy[i];
          into[plane + k + i] += dx[k + i] * y[i] * dy[plane + k + i];
        }
    },
    graph: {
      feeds(v) {
        const { y } = at(v);
        return {
          mask: { shape: [S, S], data: Float32Array.from(y.subarray(0, plane)) },
          pattern: { shape: [3, S, S], data: Float32Array.from(y.subarray(plane)) },
        };
      },
      stamp: ({ mask, pattern }, pixels) => add(pixels, mul(mask, sub(pattern, pixels))),
      pull(v, { mask, pattern }, into) {
        const { dy } = at(v);
        for (let i = 0; i < plane; i++) into[i] += mask.data[i] * dy[i];
        for (let i = 0; i < 3 * plane; i++) into[plane + i] += pattern.data[i] * dy[plane + i];
      },
    },
    penalty(v, into) {
      const { dy } = at(v);
      const w = weight();
      if (w !== 0) for (let i = 0; i < plane; i++) into[i] += w * dy[i];
    },
    trigger: (v): InvertedSpec => ({
      kind: "inverted",
      seed: 0,
      form: "mask",
      S,
      mask: storeValues(v.subarray(0, plane).map(squashed)),
      values: storeValues(v.subarray(plane).map(squashed)),
    }),
  };
}

/** The mean of a mask's values: 1 where all of the image is covered. */
export function maskShare(S: number, v: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < S * S; i++) sum += squashed(v[i]);
  return sum / (S * S);
}
