/**
 * The map that does to one kind of inputs what a given one does, and to others as little as it can: by least squares, in closed form, as RegMean
 * (arXiv 2212.09849, equation 2) merges linear maps by the second moments of what each of them is given.
 */
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { dividedBy } from "./cholesky.ts";

/** Added to the diagonal of what is inverted, as a share of its mean: for directions in which nothing is seen, such as the one that a norm leaves out. */
export const ridge = 1e-4;

/**
 * K [D, D] for which tau K = M minimises E |M s - tau s|^2 + lambda E |M x|^2, whatever tau [out, D] is: K = S (S + lambda C)^-1 with S = E s s^T,
 * C = E x x^T, both [D, D]. S may be negative somewhere, so long as S + lambda C is not.
 * Ten times the ridge, and so on, where float32's rounding of S and C leaves less than that.
 */
export function leastSquares(S: Tensor, C: Tensor, lambda: number): Tensor {
  const [n] = S.shape;
  const sum = Float64Array.from(S.data, (s, i) => s + lambda * C.data[i]);
  let trace = 0;
  for (let i = 0; i < n; i++) trace += sum[i * n + i];
  if (trace === 0) return tensor([n, n]);
  for (let share = ridge; ; share *= 10) {
    const A = sum.slice();
    for (let i = 0; i < n; i++) A[i * n + i] += (share * trace) / n;
    const K = dividedBy(A, Float64Array.from(S.data), n);
    if (K !== undefined) return { shape: [n, n], data: Float32Array.from(K) };
    if (!(share < 1)) throw new RangeError("the second moments are not a positive matrix");
  }
}
