/**
 * TBAR with a Fisher-weighted vector (ours): tau'_i = tau_i F_i / (F_i + lambda Fc_i). Where clean images hold a weight
 * (Fc large) it stays; where the backdoor holds it, it goes. Two choices of F:
 * - Ft, triggered images -> target: where the attack is still being learned. Better where the attack is complete.
 * - Fu, triggered images -> the model's own answer on their clean twins: where the backdoor acts. The safe choice.
 * Both are tried on the vector of triggered images alone and on that of the anchored set; validation chooses.
 */
import { mapVector, taskVector } from "../arithmetic/task-vector.ts";
import type { Weights } from "../tensor/tensor.ts";
import { bestRemoval, type DefenseInput, type Removal, startOf } from "./defense.ts";

export const lambda = 300;

export async function fisher(input: DefenseInput): Promise<Removal> {
  const clean = await input.gradientSquares(input.clean);
  const answered = await input.answered?.();
  const removals: Removal[] = [];
  for (const [forget, images] of [
    ["triggered", input.forget],
    ["anchored", input.anchored],
  ] as const) {
    const tau = taskVector(input.backdoored, await input.finetune(images));
    for (const [weights, data] of [
      ["Fu", answered?.undone],
      ["Ft", input.forget],
    ] as const) {
      if (data === undefined) continue; // no clean twins: Fu is out of reach
      const weighted = fisherWeighted(tau, await input.gradientSquares(data), clean, lambda);
      const search = await input.search(weighted, startOf(weighted, tau));
      removals.push({ tau: weighted, search, settings: { forget, weights, lambda } });
    }
  }
  return bestRemoval(removals);
}

/** tau_i F_i / (F_i + lambda Fc_i); 0 where both are 0. */
export function fisherWeighted(tau: Weights, backdoor: Weights, clean: Weights, lambda: number): Weights {
  return mapVector(tau, (value, name, i) => {
    const f = backdoor.get(name)?.data[i] ?? 0;
    const total = f + lambda * (clean.get(name)?.data[i] ?? 0);
    return total === 0 ? 0 : (value * f) / total;
  });
}
