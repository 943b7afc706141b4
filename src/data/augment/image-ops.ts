/**
 * Changes of an image [3, S, S] of levels 0 to 255, each as torchvision's functions compute it on 8-bit tensors (compared with them in
 * test/golden/augment.test.ts). Pixels turned in from outside are black.
 */

/** [3, S, S], whole numbers from 0 to 255. */
export type Levels = Float32Array;

const level = (v: number) => Math.min(255, Math.max(0, Math.trunc(v)));

export const invert = (image: Levels): Levels => image.map((v) => 255 - v);

/** The highest `bits` of each level. */
export const posterize = (image: Levels, bits: number): Levels => image.map((v) => v & ~(2 ** (8 - bits) - 1));

/** Levels from a threshold on are inverted. */
export const solarize = (image: Levels, threshold: number): Levels => image.map((v) => (v >= threshold ? 255 - v : v));

const perChannel = (image: Levels, f: (values: Float32Array) => Float32Array): Levels => {
  const out = new Float32Array(image.length);
  const n = image.length / 3;
  for (let c = 0; c < 3; c++) out.set(f(image.subarray(c * n, (c + 1) * n)), c * n);
  return out;
};

/** Each channel stretched from black to white. */
export const autoContrast = (image: Levels): Levels =>
  perChannel(image, (values) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return high === low ? values : values.map((v) => level(((v - low) * 255) / (high - low)));
  });

/** Each channel's levels spread so that all are as frequent as can be. */
export const equalize = (image: Levels): Levels =>
  perChannel(image, (values) => {
    const counts = new Float64Array(256);
    for (const v of values) counts[v]++;
    const last = counts.findLast((n) => n > 0) as number;
    const step = Math.floor((values.length - last) / 255);
    if (step === 0) return values;
    let below = 0; // levels below one's own
    const to = counts.map((n) => {
      const at = Math.min(255, Math.floor((below + Math.floor(step / 2)) / step));
      below += n;
      return at;
    });
    to[0] = 0;
    return values.map((v) => to[v]);
  });

/** factor x + (1 - factor) y, in float32 as there: cut to whole numbers, a last bit is a level. */
const blend = (x: Levels, y: (i: number) => number, factor: number): Levels => {
  const { fround } = Math;
  const [a, b] = [fround(factor), fround(1 - factor)];
  return x.map((v, i) => level(fround(fround(a * v) + fround(b * y(i)))));
};

function gray(image: Levels): Float32Array {
  const n = image.length / 3;
  return Float32Array.from({ length: n }, (_, i) =>
    Math.trunc(0.2989 * image[i] + 0.587 * image[n + i] + 0.114 * image[2 * n + i]),
  );
}

/** 0 is gray, 1 the image. */
export function color(image: Levels, factor: number): Levels {
  const lightness = gray(image);
  return blend(image, (i) => lightness[i % lightness.length], factor);
}

/** 0 is the mean lightness everywhere, 1 the image. */
export function contrast(image: Levels, factor: number): Levels {
  const lightness = gray(image);
  const mean = lightness.reduce((a, b) => a + b, 0) / lightness.length;
  return blend(image, () => mean, factor);
}

/** 0 is smoothed, 1 the image; the border stays. */
export function sharpness(image: Levels, factor: number): Levels {
  const S = Math.sqrt(image.length / 3);
  const smooth = (i: number) => {
    const [x, y] = [i % S, Math.floor(i / S) % S];
    if (x === 0 || y === 0 || x === S - 1 || y === S - 1) return image[i];
    let sum = 4 * image[i];
    for (const row of [-S, 0, S]) for (const column of [-1, 0, 1]) sum += image[i + row + column];
    return Math.round(sum / 13);
  };
  return blend(image, smooth, factor);
}

/** The pixel nearest to where each comes from: (x, y) from the middle -> [a x + b y + c, d x + e y + f]. */
function affine(image: Levels, [a, b, c, d, e, f]: readonly number[]): Levels {
  const n = image.length / 3;
  const S = Math.sqrt(n);
  const half = S / 2 - 0.5;
  const near = (v: number) => Math.round(v * 1e6) / 1e6; // so that halves are halves
  return image.map((_, i) => {
    const [x, y] = [(i % S) - half, (Math.floor(i / S) % S) - half];
    const [column, row] = [halfToEven(near(a * x + b * y + c + half)), halfToEven(near(d * x + e * y + f + half))];
    const isInside = column >= 0 && row >= 0 && column < S && row < S;
    return isInside ? image[Math.floor(i / n) * n + row * S + column] : 0;
  });
}

function halfToEven(v: number): number {
  const floor = Math.floor(v);
  return v - floor === 0.5 ? floor + (Math.abs(floor) % 2) : Math.round(v);
}

/** Counter-clockwise, about the middle. */
export function rotate(image: Levels, degrees: number): Levels {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return affine(image, [cos, -sin, 0, sin, cos, 0]);
}

/** Rows moved to the left, the farther down the more: by `share` of how far from the top. */
export function shearX(image: Levels, share: number): Levels {
  const S = Math.sqrt(image.length / 3);
  return affine(image, [1, share, (share * S) / 2, 0, 1, 0]);
}
