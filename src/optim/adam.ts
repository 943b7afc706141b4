/** Adam (Kingma and Ba, arXiv 1412.6980) as PyTorch computes it, in doubles between float32 values: what it moves here is pixels, masks and patterns. */

import type { Weights } from "../tensor/tensor.ts";
import { type DecayRule, decayAll, type Optimizer, type OptimizerState, pick, zeros } from "./optimizer.ts";

export interface AdamOptions {
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  readonly weightDecay?: number;
  readonly decays?: DecayRule;
}

/** The decay is part of the gradient: g <- clip g + wd p. */
export function adam({ weightDecay = 0, decays = decayAll, ...options }: AdamOptions = {}): Optimizer {
  return {
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

/** Running means of the gradient and of its square, zeros at first. */
export const noMoments = (weights: Weights): OptimizerState => ({
  step: 0,
  moments: { m: zeros(weights), v: zeros(weights) },
});

/** Of step t, counted from 1: p <- p - step m / (root sqrt(v) + eps), where step m = lr m^ with m^ = m / (1 - b1^t), and root^2 v = v^. */
export function rates({ betas: [b1, b2] = [0.9, 0.999], eps = 1e-8 }: AdamOptions, t: number, lr: number) {
  return { b1, b2, eps, step: lr / (1 - b1 ** t), root: 1 / Math.sqrt(1 - b2 ** t) };
}
