/** Steepest descent in the maximum norm: how adversarial examples are made (Goodfellow et al., arXiv 1412.6572; PGD, arXiv 1706.06083). */
import { mul, sign, sub } from "../graph/ops/index.ts";
import { type Optimizer, pick } from "./optimizer.ts";

/** p <- p - lr sign(g): every value moves by lr, or not at all where the gradient is zero. */
export function signSteps(): Optimizer {
  return {
    graph: {
      scalars: (_, lr) => ({ lr }),
      kind: () => "",
      update: ({ value, gradient }, { lr }) => ({ value: sub(value, mul(sign(gradient), lr)), moments: {} }),
    },
    init: () => ({ step: 0, moments: {} }),
    update(weights, gradients, state, lr) {
      state.step++;
      for (const [name, { data: g }] of gradients) {
        const { data: p } = pick(weights, name);
        for (let i = 0; i < p.length; i++) p[i] -= lr * Math.sign(g[i]);
      }
    },
  };
}
