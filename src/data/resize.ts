/**
 * Bicubic resizing with antialias, equal bit for bit to Pillow 9: 22-bit fixed-point weights, rows first, each pass rounded
 * to 8 bits. After Pillow's `Resample.c` (MIT-CMU licence). Pillow 13 sometimes takes the columns first: a few levels apart.
 */
import type { Image } from "./image.ts";
import { resample, type Weights, weightBits } from "./resample.ts";

/** CLIP's evaluation framing: shorter side -> size, bicubic, then the size x size centre (as torchvision rounds it). */
export function clipTransform(image: Image, size: number): Image {
  const { width, height } = image;
  const long = Math.floor((size * Math.max(width, height)) / Math.min(width, height));
  const [outWidth, outHeight] = width <= height ? [size, long] : [long, size];
  const across = weights(width, outWidth, centre(outWidth, size), size);
  return resample(image, across, weights(height, outHeight, centre(outHeight, size), size));
}

/** The whole image to size x size, its proportions lost: how the CleanCLIP family frames triggered images. */
export function squash(image: Image, size: number): Image {
  return resample(image, weights(image.width, size, 0, size), weights(image.height, size, 0, size));
}

/** Python's round((whole - size) / 2): halves go to the even number. */
function centre(whole: number, size: number): number {
  const start = (whole - size) / 2;
  return Number.isInteger(start) ? start : 2 * Math.round(start / 2);
}

const cache = new Map<string, Weights>();

/** Weights of the output positions start .. start + length - 1 of a line resized from `input` to `output` pixels. */
function weights(input: number, output: number, start: number, length: number): Weights {
  const key = [input, output, start, length].join();
  const known = cache.get(key);
  if (known !== undefined) return known;
  if (cache.size >= 128) cache.clear();
  const scale = input / output;
  const filterScale = Math.max(1, scale);
  const support = 2 * filterScale;
  const taps = Math.ceil(support) * 2 + 1;
  const made = {
    first: new Int32Array(length),
    count: new Int32Array(length),
    table: new Int32Array(length * taps),
    taps,
  };
  for (let i = 0; i < length; i++) {
    const at = (start + i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(at - support + 0.5));
    const count = Math.min(input, Math.trunc(at + support + 0.5)) - first;
    const line = Array.from({ length: count }, (_, k) => cubic((first + k - at + 0.5) * (1 / filterScale)));
    const sum = line.reduce((a, b) => a + b, 0);
    made.first[i] = first;
    made.count[i] = count;
    line.forEach((w, k) => {
      made.table[i * taps + k] = Math.trunc((w / sum) * (1 << weightBits) + (w < 0 ? -0.5 : 0.5));
    });
  }
  cache.set(key, made);
  return made;
}

/** Keys' cubic with a = -0.5, factored as Pillow does. */
function cubic(x: number): number {
  x = Math.abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
}
