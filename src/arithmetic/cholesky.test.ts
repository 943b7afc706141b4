/** B A^-1 times A is B again, whatever the sizes are modulo those of the kernel's lanes. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { assemble } from "../../scripts/assemble.ts";
import { random } from "../tensor/random.ts";
import { dividedBy } from "./cholesky.ts";
import { choleskyWasm } from "./cholesky-wasm.ts";

test("cholesky-wasm.ts is cholesky.wat assembled (npm run wasm)", async () => {
  expect(choleskyWasm).toBe(await assemble(readFileSync("src/arithmetic/cholesky.wat", "utf8")));
});

const drawn = (count: number, seed: number) => {
  const rng = random(seed, "cholesky");
  return Float64Array.from({ length: count }, () => rng.normal());
};

/** X X^T / n + I of a square X: symmetric, positive. */
function positive(n: number, seed: number): Float64Array {
  const X = drawn(n * n, seed);
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = i === j ? n : 0;
    for (let k = 0; k < n; k++) sum += X[i * n + k] * X[j * n + k];
    return sum / n;
  });
}

test.each([
  [1, 1],
  [2, 3],
  [3, 8],
  [7, 9],
  [64, 64], // the memory grows
  [130, 17],
  [5, 16], // and is larger than is asked for
  [33, 0],
])("A [%i, that], B [%i, that]", (n, m) => {
  const [A, B] = [positive(n, 1), drawn(m * n, 2)];
  const X = dividedBy(A, B, n) as Float64Array;
  expect(X).toHaveLength(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += X[i * n + k] * A[k * n + j];
      expect(sum).toBeCloseTo(B[i * n + j], 10);
    }
  expect(A).toEqual(positive(n, 1)); // neither is changed
  expect(B).toEqual(drawn(m * n, 2));
});

test("a matrix that is not positive, or holds no numbers, has no factor", () => {
  for (const A of [
    [1, 2, 2, 1],
    [0, 0, 0, 0],
    [-1, 0, 0, 1],
    [1, Number.NaN, Number.NaN, 1],
  ])
    expect(dividedBy(Float64Array.from(A), Float64Array.from([1, 2]), 2)).toBeUndefined();
});
