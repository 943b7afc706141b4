/**
 * Bicubic resizing with antialias, equal bit for bit to Pillow 9: 22-bit fixed-point weights, rows first, each pass rounded
 * to 8 bits. After Pillow's `Resample.c` (MIT-CMU licence). Pillow 13 sometimes takes the columns first: a few levels apart.
 */
import type { Image } from "./image.ts";

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

/** For each output position: its first input, how many, and their fixed-point weights. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** [positions, taps] */
  readonly table: Int32Array;
  readonly taps: number;
}

const bits = 32 - 8 - 2;
const half = 1 << (bits - 1);
const cache = new Map<string, Weights>();

/** Weights of the output positions start .. start + length - 1 of a line resized from `input` to `output` pixels. */
function weights(input: number, output: number, start: number, length: number): Weights {
  const key = [input, output, start, length].join();
  const known = cache.get(key);
  if (known !== undefined) return known;
  if (cache.size >= 512) cache.clear();
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
      made.table[i * taps + k] = Math.trunc((w / sum) * (1 << bits) + (w < 0 ? -0.5 : 0.5));
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

function resample({ width, data }: Image, across: Weights, down: Weights): Image {
  const [outWidth, outHeight] = [across.first.length, down.first.length];
  const top = down.first[0]; // only the rows that the second pass will read
  const rows = down.first[outHeight - 1] + down.count[outHeight - 1] - top;
  const narrow = new Uint8Array(rows * outWidth * 3);
  for (let y = 0, to = 0; y < rows; y++) {
    for (let x = 0; x < outWidth; x++, to += 3) {
      let r = half;
      let g = half;
      let b = half;
      let from = ((top + y) * width + across.first[x]) * 3;
      const start = x * across.taps;
      for (let k = start; k < start + across.count[x]; k++, from += 3) {
        const weight = across.table[k];
        r += weight * data[from];
        g += weight * data[from + 1];
        b += weight * data[from + 2];
      }
      narrow[to] = clip8(r);
      narrow[to + 1] = clip8(g);
      narrow[to + 2] = clip8(b);
    }
  }

  const line = outWidth * 3;
  const out = new Uint8Array(outHeight * line);
  const sums = new Int32Array(line);
  for (let y = 0; y < outHeight; y++) {
    sums.fill(half);
    for (let k = 0; k < down.count[y]; k++) {
      const weight = down.table[y * down.taps + k];
      const from = (down.first[y] + k - top) * line;
      for (let x = 0; x < line; x++) sums[x] += weight * narrow[from + x];
    }
    for (let x = 0; x < line; x++) out[y * line + x] = clip8(sums[x]);
  }
  return { width: outWidth, height: outHeight, data: out };
}

function clip8(sum: number): number {
  return Math.min(255, Math.max(0, sum >> bits));
}
