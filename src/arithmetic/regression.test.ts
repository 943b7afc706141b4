/** What least squares must come to where it can be said without it; against PyTorch: test/golden/moments.test.ts. */
import { expect, test } from "vitest";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { leastSquares, ridge } from "./regression.ts";

const square = (n: number, values: readonly number[]) => tensor([n, n], values);
const K = (S: number[], C: number[], lambda: number) => [...leastSquares(square(2, S), square(2, C), lambda).data];

test("apart: what the step moves stays whole, what clean inputs hold goes; shared: by their weights", () => {
  for (const [i, v] of K([4, 0, 0, 0], [0, 0, 0, 1], 10).entries()) expect(v).toBeCloseTo(i === 0 ? 1 : 0, 3);
  expect(K([1, 0, 0, 1], [1, 0, 0, 0], 3)[0]).toBeCloseTo(1 / 4, 3);
  expect(K([1, 0, 0, 1], [1, 0, 0, 0], 0)[0]).toBeCloseTo(1, 3);
});

test("along an oblique step, lambda 0: the projection on it", () => {
  const [p, q] = [0.6, 0.8];
  const S = [p * p, p * q, p * q, q * q];
  for (const [i, v] of K(S, [0, 0, 0, 0], 0).entries()) expect(v).toBeCloseTo(S[i], 3);
});

test("a step that is negative along what clean inputs hold: there it is turned round, by as little as lambda says", () => {
  // S = diag(4, -1), C = diag(0, 1), lambda 10: 4 / 4 and -1 / (-1 + 10)
  for (const [i, v] of K([4, 0, 0, -1], [0, 0, 0, 1], 10).entries()) expect(v).toBeCloseTo([1, 0, 0, -1 / 9][i], 3);
  expect(() => K([4, 0, 0, -3], [0, 0, 0, 0.1], 1)).toThrow("not a positive matrix");
});

test("nothing moves: nothing is taken; nothing is seen at all: the same", () => {
  expect(K([0, 0, 0, 0], [2, 1, 1, 2], 10)).toEqual([0, 0, 0, 0]);
  expect(K([0, 0, 0, 0], [0, 0, 0, 0], 10)).toEqual([0, 0, 0, 0]);
});

test("moments of fewer rows than inputs, rounded to float32: K (S + lambda C + ridge) = S all the same", () => {
  const n = 40;
  const moment = (...seed: string[]) => {
    const rows = Array.from({ length: 3 }, (_, r) => {
      const rng = random(1, ...seed, r);
      return Array.from({ length: n }, () => rng.normal());
    });
    return square(n, Array.from({ length: n * n }, (_, at) => rows.reduce((sum, x) => sum + x[Math.floor(at / n)] * x[at % n], 0) / 3)); // biome-ignore format: one line
  };
  const [S, C] = [moment("step"), moment("clean")];
  const { data: got } = leastSquares(S, C, 10);
  const A = S.data.map((s, at) => s + 10 * C.data[at]);
  const few = (ridge * A.reduce((sum, v, at) => sum + (at % (n + 1) === 0 ? v : 0), 0)) / n;
  let worst = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = few * got[i * n + j];
      for (let k = 0; k < n; k++) sum += got[i * n + k] * A[k * n + j];
      worst = Math.max(worst, Math.abs(sum - S.data[i * n + j]));
    }
  expect(worst).toBeLessThan(1e-4);
});
