/** Adam and AdamW as graph nodes: the same step as on the host, in float32. */
import { type Node, scalar } from "../graph/node.ts";
import { add, div, mul, scale, sqrt, sub } from "../graph/ops/index.ts";
import { type AdamOptions, rates } from "./adam-rates.ts";
import { decayAll, type GraphStep } from "./optimizer.ts";

/**
 * m <- b1 m + (1 - b1) g; v <- b2 v + (1 - b2) g^2; p <- p - step m / (root sqrt(v) + eps). AdamW's decay lr wd p, beside that, is subtracted by
 * itself: a factor 1 - lr wd would lose most of its digits in float32.
 */
export function adamGraph(
  { weightDecay = 0, decays = decayAll, ...options }: AdamOptions,
  decay: "in the gradient" | "beside it",
): GraphStep {
  const { b1, b2, eps } = rates(options, 1, 0);
  return {
    scalars(t, lr) {
      const { step, root } = rates(options, t, lr);
      return { step, root, shrink: lr * weightDecay };
    },
    kind: (name, shape) => (weightDecay > 0 && decays(name, shape) ? shrunk : ""),
    update({ kind, value: p, gradient, moments }, { step, root, shrink }) {
      const isShrunk = kind === shrunk;
      const g = isShrunk && decay === "in the gradient" ? add(gradient, scale(p, weightDecay)) : gradient;
      const m = moved(moments.m, b1, g);
      const v = moved(moments.v, b2, mul(g, g));
      const change = div(mul(m, step), add(mul(sqrt(v), root), scalar(eps)));
      const all = isShrunk && decay === "beside it" ? add(change, mul(p, shrink)) : change;
      return { value: sub(p, all), moments: { m, v } };
    },
  };
}

const shrunk = "decays";

const moved = (mean: Node, beta: number, to: Node) => add(scale(mean, beta), scale(to, 1 - beta));
