/** Programs in the ops of the ONNX standard alone, for runtimes other than our own. */
import { type Node, scalar, topological } from "../graph/node.ts";
import { type MatMulAttrs, matmul, mul, transpose } from "../graph/ops/index.ts";

/**
 * The same values without ONNX Runtime's FusedMatMul: its transposes and its factor become nodes of their own, which ONNX Runtime
 * fuses again when it loads them. Run it after `simplify`, which would undo it.
 */
export function standardOps(roots: readonly Node[]): Node[] {
  const done = new Map<Node, Node>();
  for (const node of topological(roots)) {
    const inputs = node.inputs.map((x) => done.get(x) as Node);
    const same = inputs.every((x, i) => x === node.inputs[i]);
    if (node.op === "MatMul") done.set(node, plainMatMul(inputs, node.attrs as MatMulAttrs));
    else done.set(node, same ? node : { ...node, inputs });
  }
  return roots.map((root) => done.get(root) as Node);
}

function plainMatMul([a, b]: readonly Node[], { transA, transB, alpha, batchA, batchB }: MatMulAttrs): Node {
  const product = matmul(laidOut(a, transA, batchA), laidOut(b, transB, batchB));
  return alpha === 1 ? product : mul(product, scalar(alpha));
}

/** An operand as [batch..., rows, columns]. */
function laidOut(x: Node, transposed: boolean, rowsFirst = false): Node {
  const axes = x.shape.map((_, i) => i);
  const rank = axes.length;
  const plain = rowsFirst ? [...axes.slice(1, -1), 0, rank - 1] : axes;
  const perm = transposed ? [...plain.slice(0, -2), plain[rank - 1], plain[rank - 2]] : plain;
  return perm.every((axis, i) => axis === i) ? x : transpose(x, perm);
}
