/** The pre-norm transformer block both towers share. Values lie time first, [T, B, w]: heads split without copying. */

import type { Activation } from "../checkpoint/config/config.ts";
import { type Node, scalar } from "../graph/node.ts";
import {
  add,
  erf,
  layerNorm,
  linear,
  matmul,
  mul,
  reshape,
  scale,
  sigmoid,
  silu,
  softmax,
  transpose,
} from "../graph/ops/index.ts";
import { type Params, within } from "./parameters.ts";

export interface AttentionOptions {
  readonly heads: number;
  /** Added to the attention scores [B, H, T, T] before softmax. */
  readonly mask?: Node;
}

/** Told what block number `layer` makes on the way: its hidden units [T, B, m] after the activation, its output [T, B, w]. */
export type Tap = (what: "hidden" | "output", layer: number, value: Node) => void;

export interface BlockOptions extends AttentionOptions {
  readonly activation: Activation;
  readonly eps: number;
  /**
   * Keeps the rows that are pooled, [T, B, w] -> [P, B, w]. Given for the last block only: nothing else reads its other
   * rows, so leaving them out is exact and saves most of a block.
   */
  readonly pick?: (x: Node) => Node;
}

/** x += attn(ln_1(x)); x += mlp(ln_2(x)). */
function block(x: Node, p: Params, { pick = (rows) => rows, ...options }: BlockOptions, tap?: (hidden: Node) => void) {
  const { activation, eps } = options;
  const normed = norm(x, within(p, "layer_norm1"), eps);
  const attended = attention(pick(normed), normed, within(p, "self_attn"), options);
  const y = add(pick(x), attended);
  return add(y, mlp(norm(y, within(p, "layer_norm2"), eps), within(p, "mlp"), activation, tap));
}

/** All blocks of a tower, by the names of their numbers; `last` is what the last one does otherwise. */
export function blocks(
  x: Node,
  p: Params,
  { layers, ...options }: BlockOptions & { readonly layers: number },
  last: Partial<BlockOptions> = {},
  tap?: Tap,
): Node {
  for (let n = 0; n < layers; n++) {
    const own = { ...options, ...(n === layers - 1 && last) };
    x = block(x, within(p, String(n)), own, (hidden) => tap?.("hidden", n, hidden));
    tap?.("output", n, x);
  }
  return x;
}

export const norm = (x: Node, p: Params, eps: number): Node => layerNorm(x, p("weight"), p("bias"), eps);

/** softmax(q k^T / sqrt(d) + mask) v, heads side by side; queries [P, B, w] from some rows, keys and values from all. */
export function attention(from: Node, all: Node, p: Params, { heads, mask }: AttentionOptions): Node {
  const [rows, batch, width] = from.shape;
  const depth = width / heads;
  const project = (x: Node, name: string) => dense(x, within(p, name));
  // [T, B, w] -> [T, B H, d] -> [B H, T, d]
  const split = (x: Node) => transpose(reshape(x, [x.shape[0], batch * heads, depth]), [1, 0, 2]);
  const q = split(project(from, "q_proj"));
  const k = split(project(all, "k_proj"));
  const v = split(project(all, "v_proj"));
  let scores = matmul(q, k, { transB: true, alpha: depth ** -0.5 }); // [B H, P, T]
  if (mask !== undefined) {
    const flat = scores.shape;
    scores = reshape(add(reshape(scores, [batch, heads, rows, all.shape[0]]), mask), flat);
  }
  const mixed = transpose(matmul(softmax(scores), v), [1, 0, 2]); // [P, B H, d]
  return project(reshape(mixed, [rows, batch, width]), "out_proj");
}

export function mlp(x: Node, p: Params, activation: Activation, tap?: (hidden: Node) => void): Node {
  const hidden = activations[activation](dense(x, within(p, "fc1")));
  tap?.(hidden);
  return dense(hidden, within(p, "fc2"));
}

/** The linear map along the last axis. */
export function dense(x: Node, p: Params): Node {
  const width = x.shape[x.shape.length - 1];
  const w = p("weight");
  const rows = x.shape.slice(0, -1);
  const y = linear(reshape(x, [rows.reduce((a, b) => a * b, 1), width]), w, p("bias"));
  return reshape(y, [...rows, w.shape[0]]);
}

const activations: Record<Activation, (x: Node) => Node> = {
  // x sigmoid(1.702 x); the two scales vanish into the neighbouring linear maps
  quick_gelu: (x) => scale(silu(scale(x, 1.702)), 1 / 1.702),
  // x Phi(x), exact
  gelu: (x) => mul(scale(x, 0.5), add(erf(scale(x, Math.SQRT1_2)), scalar(1))),
  // x (1 + tanh u) / 2 = x sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3)
  gelu_pytorch_tanh: (x) => {
    const c = Math.sqrt(8 / Math.PI);
    return mul(x, sigmoid(mul(x, add(scale(mul(x, x), 0.044715 * c), scalar(c)))));
  },
};
