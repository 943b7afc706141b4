/** Stochastic gradient descent with momentum, as PyTorch computes it: the simplest optimiser, which tests check others and gradients with. */
import { type DecayRule, decayAll, type Optimizer, pick, zeros } from "../src/optim/optimizer.ts";

export interface SgdOptions {
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly weightDecay?: number;
  readonly decays?: DecayRule;
}

/** g <- g + wd p; m <- momentum m + g (m = g at the first step); p <- p - lr m, or - lr (g + momentum m) with Nesterov. */
export function sgd({
  momentum = 0,
  nesterov = false,
  weightDecay = 0,
  decays = decayAll,
}: SgdOptions = {}): Optimizer {
  return {
    init: (weights) => ({ step: 0, moments: { m: momentum === 0 ? new Map() : zeros(weights) } }),
    update(weights, gradients, state, lr, clip = 1) {
      state.step++;
      for (const [name, { data: g }] of gradients) {
        const { data: p, shape } = pick(weights, name);
        const decay = decays(name, shape) ? weightDecay : 0;
        const m = momentum === 0 ? undefined : pick(state.moments.m, name).data;
        for (let i = 0; i < p.length; i++) {
          let gi = g[i] * clip + decay * p[i];
          if (m !== undefined) {
            m[i] = momentum * m[i] + gi;
            gi = nesterov ? gi + momentum * m[i] : m[i];
          }
          p[i] -= lr * gi;
        }
      }
    },
  };
}
