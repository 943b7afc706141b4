/** Adam (Kingma and Ba, arXiv 1412.6980) and AdamW (Loshchilov and Hutter, arXiv 1711.05101), as PyTorch computes them. */
import { type DecayRule, decayAll, type Optimizer, pick, zeros } from "./optimizer.ts";

export interface AdamOptions {
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  readonly weightDecay?: number;
  readonly decays?: DecayRule;
}

/** AdamW: the decay shrinks the weights beside the Adam step, p <- p - lr wd p - lr m^ / (sqrt(v^) + eps). */
export function adamw({ weightDecay = 0.01, ...options }: AdamOptions = {}): Optimizer {
  return adamLike({ weightDecay, decoupled: true, ...options });
}

/** Adam: the decay is part of the gradient, g <- g + wd p. */
export function adam({ weightDecay = 0, ...options }: AdamOptions = {}): Optimizer {
  return adamLike({ weightDecay, decoupled: false, ...options });
}

interface AdamLike extends AdamOptions {
  readonly weightDecay: number;
  readonly decoupled: boolean;
}

function adamLike({
  betas = [0.9, 0.999],
  eps = 1e-8,
  weightDecay,
  decoupled,
  decays = decayAll,
}: AdamLike): Optimizer {
  const [b1, b2] = betas;
  return {
    init: (weights) => ({ step: 0, moments: { m: zeros(weights), v: zeros(weights) } }),
    update(weights, gradients, state, lr, clip = 1) {
      state.step++;
      const step = lr / (1 - b1 ** state.step); // m^ = m / (1 - b1^t)
      const root = 1 / Math.sqrt(1 - b2 ** state.step); // sqrt(v^) = sqrt(v) root
      for (const [name, gradient] of gradients) {
        const { data: p, shape } = pick(weights, name);
        const { data: m } = pick(state.moments.m, name);
        const { data: v } = pick(state.moments.v, name);
        const { data: g } = gradient;
        const decay = decays(name, shape) ? weightDecay : 0;
        const keep = decoupled ? 1 - lr * decay : 1;
        const inGradient = decoupled ? 0 : decay;
        for (let i = 0; i < p.length; i++) {
          const gi = g[i] * clip + inGradient * p[i];
          const mi = b1 * m[i] + (1 - b1) * gi;
          const vi = b2 * v[i] + (1 - b2) * gi * gi;
          m[i] = mi;
          v[i] = vi;
          p[i] = keep * p[i] - (step * mi) / (Math.sqrt(vi) * root + eps);
        }
      }
    },
  };
}
