/** What ONNX a runtime understands: graphs are written in full, and one pass rewrites what it lacks. */
import { type Node, scalar, topological } from "../graph/node.ts";
import { makeNode } from "../graph/op.ts";
import {
  clip,
  exp,
  type GemmAttrs,
  log,
  type MatMulAttrs,
  matmul,
  mul,
  reduceSum,
  scale,
  softmax,
  sub,
  transpose,
} from "../graph/ops/index.ts";

/** Ops that a runtime lacks, in the form that this project gives them, each with what has the same values. */
export type Dialect = Readonly<Record<string, (node: Node) => Node>>;

/** The same values in ops of the dialect. Run it after `simplify`, which would undo some of it. */
export function lowered(roots: readonly Node[], dialect: Dialect): Node[] {
  const done = new Map<Node, Node>();
  for (const node of topological(roots)) {
    const inputs = node.inputs.map((x) => done.get(x) as Node);
    const same = inputs.every((x, i) => x === node.inputs[i]);
    const rebuilt = same ? node : { ...node, inputs };
    done.set(node, dialect[node.op]?.(rebuilt) ?? rebuilt);
  }
  return roots.map((root) => done.get(root) as Node);
}

/** ONNX Runtime on the CPU, by CUDA and elsewhere: it has all that we write. */
export const fullDialect: Dialect = {};

/**
 * The ops of the ONNX standard alone, for runtimes other than our own: FusedMatMul is ONNX Runtime's. Its transposes and its factor become
 * nodes of their own, which ONNX Runtime fuses again when it loads them.
 */
export const standardDialect: Dialect = { MatMul: plainMatMul };

/**
 * ONNX Runtime 1.30 on WebGPU. What it lacks it computes on the CPU, between two copies: found by trying each op (npm run test:gpu). And what it
 * is slow at: a product whose second operand is transposed takes 3.3 times the time (NVIDIA H200, 1600 x 768 by 768 x 3072), so that is laid out
 * first, and products of vectors are sums. Its optimizer would undo that (`undoingPasses`).
 */
export const webgpuDialect: Dialect = {
  MatMul: vectorsSummed,
  Gemm: laidOutGemm,
  LogSoftmax: plainLogSoftmax,
  Sign: clippedSign,
};
/** Passes of ONNX Runtime's that undo what `webgpuDialect` writes, by their names there. */
export const undoingPasses: readonly string[] = ["GemmTransposeFusion"];

function plainMatMul({ inputs: [a, b], attrs }: Node): Node {
  const { transA, transB, alpha, batchA, batchB } = attrs as MatMulAttrs;
  return scale(matmul(laidOut(a, transA, batchA), laidOut(b, transB, batchB)), alpha);
}

/** a b^T of single rows is a sum of products. */
function vectorsSummed(node: Node): Node {
  const { inputs: [a, b], attrs, shape } = node; // biome-ignore format: one line
  const { transA, transB, alpha, batchA, batchB } = attrs as MatMulAttrs;
  const areRows = transB && !transA && !batchA && !batchB && shape.at(-1) === 1 && shape.at(-2) === 1;
  return areRows ? scale(reduceSum(mul(a, b), [-1], true), alpha) : plainMatMul(node);
}

function laidOutGemm(node: Node): Node {
  const { inputs: [a, b, ...c], attrs } = node; // biome-ignore format: one line
  const { transA, transB, alpha } = attrs as GemmAttrs;
  const sumsRows = a.shape[0] === 1 && !transA && !transB && alpha === 1 && c.length === 0 && a.value?.every((v) => v === 1); // biome-ignore format: one line
  if (sumsRows) return reduceSum(b, [0], true);
  return transB ? makeNode("Gemm", [a, transpose(b, [1, 0]), ...c], { ...attrs, transB: false }) : node;
}

/** An operand as [batch..., rows, columns]. */
function laidOut(x: Node, transposed: boolean, rowsFirst = false): Node {
  const axes = x.shape.map((_, i) => i);
  const rank = axes.length;
  const plain = rowsFirst ? [...axes.slice(1, -1), 0, rank - 1] : axes;
  const perm = transposed ? [...plain.slice(0, -2), plain[rank - 1], plain[rank - 2]] : plain;
  return perm.every((axis, i) => axis === i) ? x : transpose(x, perm);
}

/**
 * z - log sum e^z with z = x - m. In place of the maximum m is the mean under softmax(x), which lies at most log n below it: e^z is at most
 * n, and the sum at least 1.
 */
function plainLogSoftmax({ inputs: [x] }: Node): Node {
  const z = sub(x, reduceSum(mul(softmax(x), x), [-1], true));
  return sub(z, log(reduceSum(exp(z), [-1], true)));
}

/** 2^126 x clipped to [-1, 1], in two factors so that nothing overflows: exact down to the least normal number. */
function clippedSign({ inputs: [x] }: Node): Node {
  const blown = (y: Node) => mul(clip(y, -1, 1), scalar(2 ** 63));
  return clip(blown(blown(x)), -1, 1);
}
