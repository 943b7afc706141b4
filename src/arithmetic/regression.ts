/**
 * The map that does to one kind of inputs what a given one does, and to others as little as it can: by least squares, in closed form, as RegMean
 * (arXiv 2212.09849, equation 2) merges linear maps by the second moments of what each of them is given.
 */
import { type Tensor, tensor } from "../tensor/tensor.ts";

/** Added to the diagonal of what is inverted, as a share of its mean: for directions in which nothing is seen, such as the one that a norm leaves out. */
export const ridge = 1e-4;

/**
 * K [D, D] for which tau K = M minimises E |M s - tau s|^2 + lambda E |M x|^2, whatever tau [out, D] is: K = S (S + lambda C)^-1 with S = E s s^T,
 * C = E x x^T, both [D, D]. S may be
 * negative somewhere, so long as S + lambda C is not. Ten times the ridge, and so on, where float32's rounding of S and C leaves less than that.
 */
export function leastSquares(S: Tensor, C: Tensor, lambda: number): Tensor {
  const [n] = S.shape;
  const K = Float64Array.from(S.data);
  const sum = Float64Array.from(S.data, (s, i) => s + lambda * C.data[i]);
  let trace = 0;
  for (let i = 0; i < n; i++) trace += sum[i * n + i];
  if (trace === 0) return tensor([n, n]);
  const L = factored(sum, n, trace / n);
  const upper = transposed(L, n);
  for (let row = 0; row < n; row++) solve(L, upper, K.subarray(row * n, (row + 1) * n)); // both are symmetric: rows of K are columns of (S + lambda C)^-1 S
  return { shape: [n, n], data: Float32Array.from(K) };
}

function factored(A: Float64Array, n: number, most: number): Float64Array {
  for (let share = ridge; ; share *= 10) {
    const L = A.slice();
    for (let i = 0; i < n; i++) L[i * n + i] += share * most;
    if (cholesky(L, n)) return L;
    if (!(share < 1)) throw new RangeError("second moments that are no matrix of such");
  }
}

/** L of A = L L^T [n, n], in A's place; what lies above the diagonal is of no use. False where A is not positive. */
function cholesky(A: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let j = 0; j < i; j++) A[row + j] = (A[row + j] - product(A, row, A, j * n, j)) / A[j * n + j];
    const square = A[row + i] - product(A, row, A, row, i);
    if (!(square > 0)) return false;
    A[row + i] = Math.sqrt(square);
  }
  return true;
}

/** x of L L^T x = b, in b's place; `upper` is L^T. */
function solve(L: Float64Array, upper: Float64Array, b: Float64Array): void {
  const n = b.length;
  for (let i = 0; i < n; i++) b[i] = (b[i] - product(b, 0, L, i * n, i)) / L[i * n + i];
  for (let i = n - 1; i >= 0; i--) {
    const at = i * n + i;
    b[i] = (b[i] - product(b, i + 1, upper, at + 1, n - 1 - i)) / upper[at];
  }
}

/** Sum of `count` products, of x from `i` on and y from `j` on, in four parts: additions that need not wait for each other. */
function product(x: Float64Array, i: number, y: Float64Array, j: number, count: number): number {
  const even = count - (count % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let k = 0; k < even; k += 4, i += 4, j += 4) {
    a += x[i] * y[j];
    b += x[i + 1] * y[j + 1];
    c += x[i + 2] * y[j + 2];
    d += x[i + 3] * y[j + 3];
  }
  for (let k = even; k < count; k++) a += x[i++] * y[j++];
  return a + b + c + d;
}

function transposed(A: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) out[j * n + i] = A[i * n + j];
  return out;
}
