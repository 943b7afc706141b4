/** What Adam, AdamW and their graph share. */
import type { Weights } from "../tensor/tensor.ts";
import { type DecayRule, type OptimizerState, zeros } from "./optimizer.ts";

export interface AdamOptions {
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  readonly weightDecay?: number;
  readonly decays?: DecayRule;
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
