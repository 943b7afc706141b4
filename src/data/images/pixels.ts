/** Single images in and out of a batch [B, 3, S, S]. */
import type { Tensor } from "../../tensor/tensor.ts";

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

/** An image [3, S, S] in [0, 1] as bytes [S, S, 3], rounded and clamped. */
export function toBytes(image: Float32Array): Uint8ClampedArray {
  const plane = image.length / 3;
  return Uint8ClampedArray.from(image, (_, i) => 255 * image[(i % 3) * plane + Math.floor(i / 3)]);
}

/** The image again. */
export function fromBytes(bytes: Uint8Array): Float32Array {
  const plane = bytes.length / 3;
  return Float32Array.from(bytes, (_, i) => bytes[3 * (i % plane) + Math.floor(i / plane)] / 255);
}

/** Pixels as 8-bit levels: a quarter of the memory. */
export interface Levels {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Undefined unless every value is a level over 255, to the bit: a trigger may leave others. */
export function toLevels({ shape, data }: Tensor): Levels | undefined {
  const levels = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    levels[i] = Math.round(data[i] * 255);
    if (overLevels[levels[i]] !== data[i]) return undefined;
  }
  return { shape, data: levels };
}

/** The pixels again, in [0, 1]. */
export function fromLevels({ shape, data }: Levels): Tensor {
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = overLevels[data[i]];
  return { shape, data: out };
}

/** As levels where it is such, else as it is. */
export const compact = (pixels: Tensor): Tensor | Levels => toLevels(pixels) ?? pixels;

/** What was made `compact`. */
export const restored = (kept: Tensor | Levels): Tensor =>
  kept.data instanceof Uint8Array ? fromLevels(kept as Levels) : (kept as Tensor);

const overLevels = Float32Array.from({ length: 256 }, (_, level) => level / 255);
