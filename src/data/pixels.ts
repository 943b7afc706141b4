/** Single images in and out of a batch [B, 3, S, S]. */
import type { Tensor } from "../tensor/tensor.ts";

/** The images at `slots`, copied, in that order. */
export function pickImages({ shape: [, ...image], data }: Tensor, slots: readonly number[]): Tensor {
  const size = image.reduce((a, b) => a * b, 1);
  const out = new Float32Array(slots.length * size);
  slots.forEach((slot, k) => {
    out.set(data.subarray(slot * size, (slot + 1) * size), k * size);
  });
  return { shape: [slots.length, ...image], data: out };
}

/** Writes the images of `source` over those of `target` at `slots`. */
export function putImages(target: Tensor, slots: readonly number[], source: Tensor): void {
  const size = source.data.length / slots.length;
  slots.forEach((slot, k) => {
    target.data.set(source.data.subarray(k * size, (k + 1) * size), slot * size);
  });
}
