/** A smooth warp, the same for all images: x'(i, j) = x((i, j) + field(i, j)), the field drawn through k x k control points. */
import { eachWeight, type InvertedSpec, samplesAt, storeValues, upsampled, warpInto } from "../../triggers/inverted.ts";
import type { Form } from "./form.ts";

/** For images of S x S: parameters are displacements [2, k, k] in pixels, down and across, at most `range`; bilinear twice, held at the border. */
export function warp(S: number, k: number, range: number): Form {
  const plane = S * S;
  const size = 2 * k * k;
  return {
    name: "warp",
    size,
    lr: range / 4,
    start: (stream) => Float32Array.from({ length: size }, () => (range * (2 * stream.uniform() - 1)) / 2),
    stamp: (points, image, out) => warpInto(image, upsampled(points, k, S), S, out),
    pull(points, image, dy, into) {
      const field = upsampled(points, k, S);
      const slopes = new Float32Array(2 * plane);
      for (let at = 0; at < plane; at++) {
        const [y, x] = [Math.floor(at / S) + field[at], (at % S) + field[plane + at]];
        const { corners, weights } = samplesAt(y, x, S);
        // weights are (1-u)(1-v), (1-u)v, u(1-v), uv for the part u of the way down and v across
        const [u, v] = [weights[2] + weights[3], weights[1] + weights[3]];
        let [down, across] = [0, 0];
        for (let c = 0; c < 3 * plane; c += plane) {
          const [a, b, d, e] = [image[c + corners[0]], image[c + corners[1]], image[c + corners[2]], image[c + corners[3]]]; // biome-ignore format: one line
          down += dy[c + at] * ((1 - v) * (d - a) + v * (e - b));
          across += dy[c + at] * ((1 - u) * (b - a) + u * (e - d));
        }
        if (y > 0 && y < S - 1) slopes[at] = down; // held at the border: nothing changes beyond it
        if (x > 0 && x < S - 1) slopes[plane + at] = across;
      }
      eachWeight(k, S, (to, from, weight) => {
        into[from] += weight * slopes[to];
        into[k * k + from] += weight * slopes[plane + to];
      });
    },
    project(points) {
      for (let i = 0; i < size; i++) points[i] = Math.min(range, Math.max(-range, points[i]));
    },
    trigger: (points): InvertedSpec => ({
      kind: "inverted",
      seed: 0,
      form: "warp",
      S,
      range,
      values: storeValues(points, range),
    }),
  };
}
