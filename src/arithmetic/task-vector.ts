/** Task vectors (Ilharco et al., arXiv 2212.04089): differences of weights, added, scaled and compared tensor by tensor. */
import { badInput } from "../tensor/error.ts";
import { sameShape, type Tensor, type Weights } from "../tensor/tensor.ts";
import { floorVariance, isVariance } from "./running-variance.ts";

/** tau = to - from for every tensor that differs; those that do not are left out. Names and shapes must agree. */
export function taskVector(from: Weights, to: Weights): Weights {
  const tau = new Map<string, Tensor>();
  for (const [name, a] of from) {
    const b = to.get(name);
    if (b === undefined) throw badInput(`the second model has no ${name}`);
    if (!sameShape(a.shape, b.shape))
      throw badInput(`${name} is [${a.shape}] in one model and [${b.shape}] in the other`);
    if (a === b) continue;
    const data = b.data.slice();
    if (difference(a.data, data) !== 0) tau.set(name, { shape: a.shape, data });
  }
  const extra = [...to.keys()].find((name) => !from.has(name));
  if (extra !== undefined) throw badInput(`the first model has no ${extra}`);
  return tau;
}

/** weights + alpha tau, running variances floored at 0. Tensors without a part in tau are shared with `weights`. */
export function add(weights: Weights, tau: Weights, alpha: number): Weights {
  const out = new Map(weights);
  for (const [name, { data: t }] of tau) {
    const w = weights.get(name);
    if (w === undefined) throw badInput(`the model has no ${name}, which the vector changes`);
    if (w.data.length !== t.length)
      throw badInput(`${name} has ${w.data.length} values in the model and ${t.length} in the vector`);
    const data = w.data.slice();
    axpy(alpha, t, data);
    if (isVariance(name)) floorVariance(data);
    out.set(name, { shape: w.shape, data });
  }
  return out;
}

/** y = y + a x in place, each sum rounded to float32 once; for tensors that come piece by piece. Four at a time, 1.5 times as fast. */
export function axpy(a: number, x: Float32Array, y: Float32Array): void {
  const even = y.length - (y.length % 4);
  for (let i = 0; i < even; i += 4) {
    y[i] += a * x[i];
    y[i + 1] += a * x[i + 1];
    y[i + 2] += a * x[i + 2];
    y[i + 3] += a * x[i + 3];
  }
  for (let i = even; i < y.length; i++) y[i] += a * x[i];
}

/** y = y - x in place, each difference rounded to float32 once; returns the sum of their squares. One pass for `axpy` and `inner`. */
export function difference(x: Float32Array, y: Float32Array): number {
  const even = y.length - (y.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < even; i += 4) {
    const p = Math.fround(y[i] - x[i]);
    const q = Math.fround(y[i + 1] - x[i + 1]);
    const r = Math.fround(y[i + 2] - x[i + 2]);
    const s = Math.fround(y[i + 3] - x[i + 3]);
    y[i] = p;
    y[i + 1] = q;
    y[i + 2] = r;
    y[i + 3] = s;
    a += p * p;
    b += q * q;
    c += r * r;
    d += s * s;
  }
  for (let i = even; i < y.length; i++) {
    y[i] -= x[i];
    a += y[i] * y[i];
  }
  return a + b + c + d;
}

/** weights - alpha tau: negation, as TBAR unlearns. */
export const subtract = (weights: Weights, tau: Weights, alpha: number): Weights => add(weights, tau, -alpha);

/** The vector with each value multiplied by a number. */
export const scale = (tau: Weights, by: number): Weights => mapVector(tau, (v) => by * v);

/** A vector of the same form, each value a function of the old one, its tensor's name and its position there. */
export function mapVector(tau: Weights, f: (value: number, name: string, i: number) => number): Weights {
  return new Map([...tau].map(([name, { shape, data }]) => [name, { shape, data: data.map((v, i) => f(v, name, i)) }]));
}

/** Sum over all values of a b; tensors that only one has count as zero in the other. */
export function dot(a: Weights, b: Weights): number {
  let sum = 0;
  for (const [name, { data }] of a) sum += inner(data, b.get(name)?.data ?? new Float32Array());
  return sum;
}

/** Sum of x y over the values both have, in double precision, in four parts: additions that need not wait for each other. */
export function inner(x: Float32Array, y: Float32Array): number {
  const length = Math.min(x.length, y.length);
  const even = length - (length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < even; i += 4) {
    a += x[i] * y[i];
    b += x[i + 1] * y[i + 1];
    c += x[i + 2] * y[i + 2];
    d += x[i + 3] * y[i + 3];
  }
  for (let i = even; i < length; i++) a += x[i] * y[i];
  return a + b + c + d;
}

/** L2 norm over all values. */
export const norm = (tau: Weights): number => Math.sqrt(dot(tau, tau));

/** Cosine of the angle between two vectors; 0 when one of them is zero. */
export function cosine(a: Weights, b: Weights): number {
  const length = norm(a) * norm(b);
  return length === 0 ? 0 : dot(a, b) / length;
}
