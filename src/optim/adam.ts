/** Adam (Kingma and Ba, arXiv 1412.6980) as PyTorch computes it, in doubles between float32 values: what it moves here is pixels, masks and patterns. */

import { adamGraph } from "./adam-graph.ts";
import { type AdamOptions, noMoments, rates } from "./adam-rates.ts";
import { decayAll, type Optimizer, pick } from "./optimizer.ts";

/** The decay is part of the gradient: g <- clip g + wd p. */
export function adam({ weightDecay = 0, decays = decayAll, ...options }: AdamOptions = {}): Optimizer {
  return {
    graph: adamGraph({ ...options, weightDecay, decays }, "in the gradient"),
    init: noMoments,
    update(weights, gradients, state, lr, clip = 1) {
      const { b1, b2, step, root, eps } = rates(options, ++state.step, lr);
      for (const [name, { data: g }] of gradients) {
        const { data: p, shape } = pick(weights, name);
        const { data: m } = pick(state.moments.m, name);
        const { data: v } = pick(state.moments.v, name);
        const decay = decays(name, shape) ? weightDecay : 0;
        for (let i = 0; i < p.length; i++) {
          const gi = g[i] * clip + decay * p[i];
          const mi = b1 * m[i] + (1 - b1) * gi;
          const vi = b2 * v[i] + (1 - b2) * gi * gi;
          m[i] = mi;
          v[i] = vi;
          p[i] -= (step * mi) / (Math.sqrt(vi) * root + eps);
        }
      }
    },
  };
}
