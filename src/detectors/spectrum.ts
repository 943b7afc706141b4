/** The leading singular values of a matrix, by the power method. */
import { random } from "../tensor/random.ts";

export interface Spectrum {
  readonly first: number;
  readonly second: number;
  /** Root of the sum of all squared singular values. */
  readonly frobenius: number;
}

const iterations = 40;

/** Of a matrix [rows, columns], row-major. Close values are told apart to a percent or so, which is enough to compare matrices by. */
export function spectrum(matrix: Float32Array, rows: number, columns: number): Spectrum {
  const frobenius = Math.sqrt(matrix.reduce((sum, value) => sum + value * value, 0));
  const found: Float64Array[] = [];
  const values = [1, 2].map((which) => {
    const stream = random("spectrum", which);
    let v: Float64Array = Float64Array.from({ length: columns }, () => stream.normal());
    let value = 0;
    for (let i = 0; i < iterations; i++) {
      v = withoutDirections(v, found);
      const length = Math.hypot(...v);
      if (length < 1e-30) return 0;
      for (let k = 0; k < columns; k++) v[k] /= length;
      const image = product(matrix, rows, columns, v);
      value = Math.hypot(...image);
      if (i < iterations - 1) v = adjoint(matrix, rows, columns, image);
    }
    found.push(v);
    return value;
  });
  return { first: values[0], second: values[1], frobenius };
}

function withoutDirections(v: Float64Array, directions: readonly Float64Array[]): Float64Array {
  const out = v.slice();
  for (const direction of directions) {
    const along = out.reduce((sum, value, i) => sum + value * direction[i], 0);
    for (let i = 0; i < out.length; i++) out[i] -= along * direction[i];
  }
  return out;
}

/** A v. */
function product(a: Float32Array, rows: number, columns: number, v: Float64Array): Float64Array {
  const out = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let c = 0, at = r * columns; c < columns; c++, at++) sum += a[at] * v[c];
    out[r] = sum;
  }
  return out;
}

/** A^T u. */
function adjoint(a: Float32Array, rows: number, columns: number, u: Float64Array): Float64Array {
  const out = new Float64Array(columns);
  for (let r = 0; r < rows; r++) {
    const by = u[r];
    for (let c = 0, at = r * columns; c < columns; c++, at++) out[c] += by * a[at];
  }
  return out;
}
