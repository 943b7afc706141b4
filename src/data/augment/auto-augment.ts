/** AutoAugment (Cubuk et al. 2018, arXiv 1805.09501) with the policy that was found for ImageNet: one of 25 pairs of changes for each image. */
import { random } from "../../tensor/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import * as ops from "./image-ops.ts";

type Change = (image: ops.Levels, magnitude: number, sign: number) => ops.Levels;

/** By name; magnitudes from 0 to 9, as the paper's table has them. */
const changes = {
  autoContrast: ops.autoContrast,
  equalize: ops.equalize,
  invert: ops.invert,
  color: (image, m, sign) => ops.color(image, 1 + 0.1 * m * sign),
  contrast: (image, m, sign) => ops.contrast(image, 1 + 0.1 * m * sign),
  sharpness: (image, m, sign) => ops.sharpness(image, 1 + 0.1 * m * sign),
  posterize: (image, m) => ops.posterize(image, 8 - Math.round((4 * m) / 9)),
  solarize: (image, m) => ops.solarize(image, 255 - (255 * m) / 9),
  rotate: (image, m, sign) => ops.rotate(image, ((30 * m) / 9) * sign),
  shearX: (image, m, sign) => ops.shearX(image, ((0.3 * m) / 9) * sign),
} satisfies Record<string, Change>;

type Step = readonly [change: keyof typeof changes, probability: number, magnitude?: number];

const policy: readonly (readonly [Step, Step])[] = [
  [["posterize", 0.4, 8], ["rotate", 0.6, 9]], [["solarize", 0.6, 5], ["autoContrast", 0.6]],
  [["equalize", 0.8], ["equalize", 0.6]], [["posterize", 0.6, 7], ["posterize", 0.6, 6]],
  [["equalize", 0.4], ["solarize", 0.2, 4]], [["equalize", 0.4], ["rotate", 0.8, 8]],
  [["solarize", 0.6, 3], ["equalize", 0.6]], [["posterize", 0.8, 5], ["equalize", 1]],
  [["rotate", 0.2, 3], ["solarize", 0.6, 8]], [["equalize", 0.6], ["posterize", 0.4, 6]],
  [["rotate", 0.8, 8], ["color", 0.4, 0]], [["rotate", 0.4, 9], ["equalize", 0.6]],
  [["equalize", 0], ["equalize", 0.8]], [["invert", 0.6], ["equalize", 1]],
  [["color", 0.6, 4], ["contrast", 1, 8]], [["rotate", 0.8, 8], ["color", 1, 2]],
  [["color", 0.8, 8], ["solarize", 0.8, 7]], [["sharpness", 0.4, 7], ["invert", 0.6]],
  [["shearX", 0.6, 5], ["equalize", 1]], [["color", 0.4, 0], ["equalize", 0.6]],
  [["equalize", 0.4], ["solarize", 0.2, 4]], [["solarize", 0.6, 5], ["autoContrast", 0.6]],
  [["invert", 0.6], ["equalize", 1]], [["color", 0.6, 4], ["contrast", 1, 8]],
  [["equalize", 0.8], ["equalize", 0.6]],
]; // biome-ignore format: a table

/** Images [B, 3, S, S] in [0, 1], each changed by a draw of its own. */
export function autoAugment({ shape, data }: Tensor, ...seed: readonly (number | string)[]): Tensor {
  const size = data.length / shape[0];
  const out = new Float32Array(data.length);
  for (let b = 0; b < shape[0]; b++) {
    const draw = random(...seed, "auto-augment", b);
    let image: ops.Levels = data.slice(b * size, (b + 1) * size).map((v) => Math.round(255 * v));
    for (const [name, probability, magnitude = 0] of policy[draw.int(policy.length)]) {
      const [isDone, sign] = [draw.uniform() < probability, draw.uniform() < 0.5 ? -1 : 1];
      if (isDone) image = (changes[name] as Change)(image, magnitude, sign);
    }
    out.set(
      image.map((v) => v / 255),
      b * size,
    );
  }
  return { shape, data: out };
}
