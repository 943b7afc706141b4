/**
 * Batch normalisation's running variances under arithmetic: a vector can take more from one than it holds, and no variance is
 * negative, so what falls below zero is raised to it.
 */
import type { Tensor, Weights } from "../tensor/tensor.ts";

export const isVariance = (name: string) => name.endsWith(".running_var");

/** Raise negative values to 0, in place; how many there were. */
export function floorVariance(values: Float32Array): number {
  let floored = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] >= 0) continue;
    values[i] = 0;
    floored++;
  }
  return floored;
}

/** How many variances `after` has at 0 that `before` had above it. */
export function flooredVariances(before: Weights, after: Weights): number {
  let floored = 0;
  for (const [name, { data }] of after) {
    if (!isVariance(name)) continue;
    const old = before.get(name)?.data;
    floored += data.reduce((n, v, i) => (v === 0 && old !== undefined && old[i] > 0 ? n + 1 : n), 0);
  }
  return floored;
}

/** tau with the parts of the variances that before - alpha tau = after did subtract, so that adding alpha tau leads back. */
export function asSubtracted(tau: Weights, before: Weights, after: Weights, alpha: number): Weights {
  const out = new Map(tau);
  for (const [name, { shape }] of tau) {
    if (!isVariance(name)) continue;
    const [from, to] = [before, after].map((weights) => (weights.get(name) as Tensor).data);
    out.set(name, { shape, data: from.map((v, i) => (v - to[i]) / alpha) });
  }
  return out;
}
