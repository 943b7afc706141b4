/** Systems of linear equations under one positive matrix, by Cholesky's factor, in doubles. */
import { wasmExports } from "../tensor/wasm.ts";
import { choleskyWasm } from "./cholesky-wasm.ts";

interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  factor(A: number, n: number, stride: number): 0 | 1;
  solve(L: number, b: number, n: number, stride: number): void;
}

/** cholesky.wat; its memory stays as large as the largest matrix was. */
const kernel = wasmExports<Kernel>(choleskyWasm);
const [double, page] = [Float64Array.BYTES_PER_ELEMENT, 2 ** 16];
/** Right sides that are solved at once. */
const abreast = 8;

/** B A^-1 of symmetric A [n, n] and B [m, n]; undefined where A is not positive. */
export function dividedBy(A: Float64Array, B: Float64Array, n: number): Float64Array | undefined {
  const L = 0;
  const b = L + n * n * double;
  const missing = b + n * abreast * double - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / page));
  new Float64Array(kernel.memory.buffer, L, n * n).set(A);
  if (kernel.factor(L, n, n * double) === 0) return undefined;
  const X = new Float64Array(B.length);
  const some = new Float64Array(kernel.memory.buffer, b, n * abreast);
  const m = B.length / n;
  for (let from = 0; from < m; from += abreast) {
    const count = Math.min(abreast, m - from);
    for (let r = 0; r < abreast; r++)
      for (let i = 0; i < n; i++) some[i * abreast + r] = r < count ? B[(from + r) * n + i] : 0;
    kernel.solve(L, b, n, n * double);
    for (let r = 0; r < count; r++) for (let i = 0; i < n; i++) X[(from + r) * n + i] = some[i * abreast + r];
  }
  return X;
}
