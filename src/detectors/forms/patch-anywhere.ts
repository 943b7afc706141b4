/** A square of pixels that comes to another place in each image and at each step: x' = sigmoid(p) inside of it, x outside. */
import { random } from "../../tensor/random.ts";
import { type InvertedSpec, paste, storeValues } from "../../triggers/inverted.ts";
import type { Form } from "./form.ts";
import { sigmoid, somewhere } from "./sigmoid.ts";

/**
 * A square of `side` in images of S x S. The place is drawn from the image and from a clock, the last parameter, which `project` puts
 * forward after each step: so `stamp` and `pull` of one step see the same place, though neither remembers anything.
 */
export function patchAnywhere(S: number, side: number): Form {
  const pixels = 3 * side * side;
  const place = (p: Float32Array, image: Float32Array): readonly [row: number, column: number] => {
    const stream = random("patch-anywhere", Math.floor(p[pixels]), fingerprint(image));
    return [stream.int(S - side + 1), stream.int(S - side + 1)];
  };
  return {
    name: "patch-anywhere",
    size: pixels + 1,
    lr: 0.3,
    start: (stream) => Float32Array.from({ length: pixels + 1 }, (_, i) => (i < pixels ? somewhere(stream) : 0.5)),
    stamp(p, image, out) {
      out.set(image);
      const [row, column] = place(p, image);
      paste(out, S, p.subarray(0, pixels).map(sigmoid), side, row, column);
    },
    pull(p, image, dy, into) {
      const [row, column] = place(p, image);
      for (let i = 0; i < pixels; i++) {
        const [c, r, x] = [Math.floor(i / (side * side)), Math.floor(i / side) % side, i % side];
        const value = sigmoid(p[i]);
        into[i] += dy[(c * S + row + r) * S + column + x] * value * (1 - value);
      }
    },
    project(p) {
      p[pixels]++;
    },
    trigger: (p): InvertedSpec => ({
      kind: "inverted",
      seed: 0,
      form: "patch",
      S,
      side,
      anywhere: true,
      values: storeValues(p.subarray(0, pixels).map(sigmoid)),
    }),
  };
}

/** A number that two images hardly share: of some of their pixels, weighed by where they are. */
function fingerprint(image: Float32Array): number {
  let sum = 0;
  const stride = Math.max(1, Math.floor(image.length / 61));
  for (let i = 0; i < image.length; i += stride) sum = (Math.imul(sum, 31) + Math.round(65535 * image[i])) | 0;
  return sum;
}
