/** Which pixels of a line make a pixel of the resized line, and with which weights: Pillow's filters, kept for the lines that come again. */
import type { Filter } from "../../checkpoint/config/preprocess.ts";
import { type Weights, weightBits } from "./resample.ts";

/** For each output position its input; -1 where rounding leaves the line. */
export interface Nearest {
  readonly at: Int32Array;
}

const cache = new Map<string, Weights | Nearest>();
const mostKept = 1 << 22;
let kept = 0;

/** Of the output positions start .. start + length - 1 of a line resized from `input` to `output` pixels. */
export function lineWeights(
  filter: Filter,
  input: number,
  output: number,
  start: number,
  length: number,
): Weights | Nearest {
  const key = [filter, input, output, start, length].join();
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = filter === "nearest" ? nearest(input, output, start, length) : weights(kernels[filter], input, output, start, length); // biome-ignore format: one line
  const values = "at" in made ? made.at.length : made.table.length;
  if (kept + values > mostKept) {
    cache.clear();
    kept = 0;
  }
  cache.set(key, made);
  kept += values;
  return made;
}

/** Positions add up in steps, rounding errors and all, as Pillow's do. */
function nearest(input: number, output: number, start: number, length: number): Nearest {
  const at = new Int32Array(length);
  const scale = input / output;
  let from = scale * 0.5;
  for (let i = 0; i < start + length; i++, from += scale) {
    if (i < start) continue;
    const position = Math.trunc(from);
    at[i - start] = input === output ? i : position < input ? position : -1;
  }
  return { at };
}

interface Kernel {
  /** Reach to either side when the line does not shrink. */
  readonly support: number;
  readonly at: (x: number) => number;
}

const kernels: Readonly<Record<Exclude<Filter, "nearest">, Kernel>> = {
  box: { support: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, at: hamming },
  bicubic: { support: 2, at: cubic },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

function weights(
  { support: reach, at: kernel }: Kernel,
  input: number,
  output: number,
  start: number,
  length: number,
): Weights {
  // biome-ignore format: one line
  const scale = input / output;
  const filterScale = Math.max(1, scale);
  const support = reach * filterScale;
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
    const line = Array.from({ length: count }, (_, k) => kernel((first + k - at + 0.5) * (1 / filterScale)));
    const sum = line.reduce((a, b) => a + b, 0);
    made.first[i] = first;
    made.count[i] = count;
    line.forEach((w, k) => {
      const share = sum === 0 ? w : w / sum;
      made.table[i * taps + k] = Math.trunc(share * (1 << weightBits) + (share < 0 ? -0.5 : 0.5));
    });
  }
  return made;
}

/** Keys' cubic with a = -0.5, factored as Pillow does. */
function cubic(x: number): number {
  x = Math.abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** The constants are single precision, as Pillow's. */
function hamming(x: number): number {
  x = Math.abs(x);
  if (x === 0) return 1;
  return x < 1 ? sinc(x) * (Math.fround(0.54) + Math.fround(0.46) * Math.cos(x * Math.PI)) : 0;
}
