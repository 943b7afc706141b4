/** Matrix products. `matmul` is batched over equal leading axes, `gemm` is flat and adds a bias. */
import type { Node } from "../node.ts";
import { defineOp, type OnnxForm } from "../op.ts";
import { unbroadcast } from "./broadcast.ts";
import { scale as scaled } from "./elementwise.ts";

/** `batchA`, `batchB`: that operand lies as [M, batch..., K] (set by `simplify` where a transpose is absorbed). */
export type MatMulAttrs = { transA: boolean; transB: boolean; alpha: number; batchA?: boolean; batchB?: boolean };

const swapped = (s: readonly number[], yes: boolean) => (yes ? [...s.slice(0, -2), s.at(-1), s.at(-2)] : s) as number[];
const batchFirst = (s: readonly number[], yes?: boolean) =>
  yes ? [...s.slice(1, -1), s[0], s.at(-1) as number] : [...s];

const matmulOp = defineOp<MatMulAttrs>("MatMul", {
  shape: ([a, b], { transA, transB, batchA, batchB }) => {
    const p = swapped(batchFirst(a, batchA), transA);
    const q = swapped(batchFirst(b, batchB), transB);
    const fits = p.length === q.length && p.slice(0, -2).every((d, i) => d === q[i]) && p.at(-1) === q.at(-2);
    if (!fits) throw new Error(`cannot multiply [${a}] by [${b}]`);
    return [...p.slice(0, -1), q.at(-1) as number];
  },
  // C = alpha A B: dA = alpha dC B^T, dB = alpha A^T dC, each transposed where its operand was
  grad: ({ x: [a, b], dy, attrs: { transA, transB, alpha, batchA, batchB } }) => {
    if (batchA || batchB) throw new Error("differentiate before simplifying");
    return [
      transA ? matmul(b, dy, { transA: transB, transB: true, alpha }) : matmul(dy, b, { transB: !transB, alpha }),
      transB ? matmul(dy, a, { transA: true, transB: transA, alpha }) : matmul(a, dy, { transA: !transA, alpha }),
    ];
  },
  onnx: ({ transA, transB, alpha, batchA, batchB }): OnnxForm => {
    if (!transA && !transB && !batchA && !batchB && alpha === 1) return { attrs: {} }; // the standard's own
    return {
      type: "FusedMatMul",
      domain: "com.microsoft",
      attrs: { transA: +transA, transB: +transB, transBatchA: +!!batchA, transBatchB: +!!batchB, alpha },
    };
  },
  check: [false, true].flatMap((transA) =>
    [false, true].map((transB) => ({
      shapes: [swapped([2, 3, 4], transA), swapped([2, 4, 5], transB)],
      attrs: { transA, transB, alpha: 0.5 },
    })),
  ),
});

/** alpha A B over the last two axes, with A, B transposed there on demand; leading axes are equal. */
export function matmul(a: Node, b: Node, options: Partial<MatMulAttrs> = {}): Node {
  return matmulOp([a, b], { transA: false, transB: false, alpha: 1, ...options });
}

export type GemmAttrs = { transA: boolean; transB: boolean; alpha: number; beta: number };

const gemmOp = defineOp<GemmAttrs>("Gemm", {
  shape: ([a, b], { transA, transB }) => {
    const [m, k] = swapped(a, transA);
    const [k2, n] = swapped(b, transB);
    if (a.length !== 2 || b.length !== 2 || k !== k2) throw new Error(`cannot multiply [${a}] by [${b}]`);
    return [m, n];
  },
  // C = alpha A B + beta c
  grad: ({ x: [a, b, c], dy, attrs: { transA, transB, alpha, beta } }) => [
    transA ? gemm(b, dy, { transA: transB, transB: true, alpha }) : gemm(dy, b, { transB: !transB, alpha }),
    transB ? gemm(dy, a, { transA: true, transB: transA, alpha }) : gemm(a, dy, { transA: !transA, alpha }),
    ...(c === undefined ? [] : [scaled(unbroadcast(dy, c.shape), beta)]),
  ],
  onnx: ({ transA, transB, alpha, beta }) => ({ attrs: { transA: +transA, transB: +transB, alpha, beta } }),
  check: [false, true].flatMap((transA) =>
    [false, true].flatMap((transB) => [
      { shapes: [swapped([3, 4], transA), swapped([4, 5], transB)], attrs: { transA, transB, alpha: 2, beta: 1 } },
      { shapes: [swapped([3, 4], transA), swapped([4, 5], transB), [5]], attrs: { transA, transB, alpha: 1, beta: 3 } },
    ]),
  ),
});

/** alpha A B (+ beta c) for matrices [M, K] and [K, N], c [N]. */
export function gemm(a: Node, b: Node, options: Partial<GemmAttrs> = {}, c?: Node): Node {
  return gemmOp(c === undefined ? [a, b] : [a, b, c], { transA: false, transB: false, alpha: 1, beta: 1, ...options });
}

/**
 * y = x W^T + b for rows x [N, K] and a weight as checkpoints store it, W [out, in]. Where W is W0 + alpha B A with factors thinner than
 * itself, as in LoRA, x goes through the factors, x W0^T + b + alpha (x A^T) B^T: neither the product nor its gradient is ever made.
 */
export function linear(x: Node, w: Node, b?: Node): Node {
  const factors = factorsOf(w);
  if (factors === undefined) return gemm(x, w, { transB: true }, b);
  const { base, left, right, alpha } = factors;
  return gemm(gemm(x, right, { transB: true }), left, { transB: true, alpha }, linear(x, base, b));
}

/** Of a node W0 + alpha B A with B [out, r], A [r, in] and r less than both. */
function factorsOf({ op, inputs: [base, product], shape }: Node) {
  if (op !== "Add" || product.op !== "Gemm" || product.inputs.length !== 2) return undefined;
  const { transA, transB, alpha } = product.attrs as GemmAttrs;
  const [left, right] = product.inputs;
  const isThin = right.shape[0] < Math.min(...shape) && base.shape.length === 2 && !transA && !transB;
  return isThin ? { base, left, right, alpha } : undefined;
}
