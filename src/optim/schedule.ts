/** Learning rate as a function of the step, and gradient clipping. */

/** Learning rate at a step, counted from 0. */
export type Schedule = (step: number) => number;

/**
 * Linear warm-up, then cosine to 0 (task-arithmetic recipe, gortizji/tangent_task_arithmetic src/finetune.py):
 * lr (k + 1) / w for k < w, else lr/2 (1 + cos(pi (k - w) / (T - w))).
 */
export function warmupCosine(lr: number, steps: number, warmup: number): Schedule {
  return (k) =>
    k < warmup ? (lr * (k + 1)) / warmup : 0.5 * lr * (1 + Math.cos((Math.PI * (k - warmup)) / (steps - warmup)));
}

export const constantRate =
  (lr: number): Schedule =>
  () =>
    lr;

/** The factor that brings a gradient of this norm down to `most`, as torch.nn.utils.clip_grad_norm_ computes it. */
export function clipFactor(norm: number, most: number | undefined): number {
  return most === undefined ? 1 : Math.min(1, most / (norm + 1e-6));
}
