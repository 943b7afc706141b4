/**
 * Merging: one model out of several fine-tuned children of one base, by their task vectors tau_t = theta_t - theta_0.
 * A tensor that a vector leaves out is zero in it. All functions are pure, sum in double precision and give float32;
 * running variances are floored at 0.
 */
import { badInput } from "../tensor/error.ts";
import { sameShape, type Tensor, type Weights } from "../tensor/tensor.ts";
import { floorVariance, isVariance } from "./running-variance.ts";

/** theta_0 + lambda sum_t tau_t (Ilharco et al., arXiv 2212.04089). Tensors that no vector changes are shared with `base`. */
export function taskArithmetic(base: Weights, vectors: readonly Weights[], lambda: number): Weights {
  return merged(base, vectors, (values) => {
    let sum = 0;
    for (const value of values) sum += value;
    return lambda * sum;
  });
}

export interface TiesOptions {
  /** Share of each vector's values that is kept, in (0, 1]. Default 0.2. */
  readonly density?: number;
  /** Default 1, for the mean. */
  readonly lambda?: number;
  /** What becomes of the values that agree: their mean, as in the paper (default), or their sum, as BadMerging's code merges. */
  readonly combine?: Combine;
  /** What `trimmingThreshold` finds for each whole vector, where `vectors` holds only parts of them. */
  readonly thresholds?: readonly number[];
}

export type Combine = "mean" | "sum";

/**
 * TIES (Yadav et al., arXiv 2306.01708, algorithm 1): trim each vector to its largest values, elect for each parameter the sign
 * of the sum of what is left, and add lambda times the mean of those values that have this sign. Where the kept values cancel no
 * sign is elected and nothing is added; the authors' code takes the commonest sign of all parameters there.
 */
export function ties(base: Weights, vectors: readonly Weights[], options: TiesOptions = {}): Weights {
  const { density = 0.2, lambda = 1, combine = "mean", thresholds } = options;
  const least = thresholds ?? vectors.map((tau) => trimmingThreshold(tau, density));
  return merged(base, vectors, (values) => {
    let elected = 0;
    for (let t = 0; t < values.length; t++) if (Math.abs(values[t]) >= least[t]) elected += values[t];
    let sum = 0;
    let count = 0;
    for (let t = 0; t < values.length; t++) {
      if (Math.abs(values[t]) < least[t] || values[t] * elected <= 0) continue;
      sum += values[t];
      count++;
    }
    if (count === 0) return 0;
    return combine === "mean" ? (lambda * sum) / count : lambda * sum;
  });
}

/**
 * The least magnitude that trimming keeps: the n-th largest over all values of the vector, all tensors together, n being
 * `density` of them (at least one; equal magnitudes stay or go together). The authors' code keeps one value more,
 * `kthvalue(d - int(d * K))` and all that are as large.
 */
export function trimmingThreshold(tau: Weights, density: number): number {
  if (!(density > 0 && density <= 1)) throw badInput(`density must be above 0 and at most 1, not ${density}`);
  let size = 0;
  for (const { data } of tau.values()) size += data.length;
  return size === 0 ? 0 : nthLargest(tau, Math.max(1, Math.round(density * size)));
}

/** Magnitudes sort as the integers of their bits do: counted by the upper 16 bits, then by the lower ones, nothing is sorted. */
function nthLargest(tau: Weights, n: number): number {
  let found = 0;
  let rank = n;
  for (const shift of [16, 0]) {
    const counts = new Float64Array(65536);
    for (const { data } of tau.values()) {
      const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
      for (let i = 0; i < bits.length; i++) {
        const magnitude = bits[i] & 0x7fffffff;
        if (shift === 16 || magnitude >>> 16 === found) counts[(magnitude >>> shift) & 0xffff]++;
      }
    }
    let bin = 0xffff;
    while (counts[bin] < rank) rank -= counts[bin--];
    found = (found << 16) | bin;
  }
  return new Float32Array(Uint32Array.of(found).buffer)[0];
}

/** base + what `change` makes of the vectors' values at each place. */
function merged(base: Weights, vectors: readonly Weights[], change: (values: Float64Array) => number): Weights {
  const names = new Set(vectors.flatMap((tau) => [...tau.keys()]));
  const out = new Map(base);
  const values = new Float64Array(vectors.length);
  for (const name of names) {
    const before = base.get(name);
    if (before === undefined) throw badInput(`the base has no ${name}, which a vector changes`);
    const parts = vectors.map((tau) => partOf(tau, name, before));
    const data = new Float32Array(before.data.length);
    for (let i = 0; i < data.length; i++) {
      for (let t = 0; t < parts.length; t++) values[t] = parts[t]?.[i] ?? 0;
      data[i] = before.data[i] + change(values);
    }
    if (isVariance(name)) floorVariance(data);
    out.set(name, { shape: before.shape, data });
  }
  return out;
}

function partOf(tau: Weights, name: string, before: Tensor): Float32Array | undefined {
  const part = tau.get(name);
  if (part === undefined || sameShape(part.shape, before.shape)) return part?.data;
  throw badInput(`${name} is [${before.shape}] in the base and [${part.shape}] in a vector`);
}
