/**
 * TBAR with a Fisher-weighted vector (ours): tau'_i = tau_i F_i / (F_i + lambda Fc_i). Where clean images hold a weight
 * (Fc large) it stays; where the backdoor holds it, it goes. Two choices of F:
 * - Ft, triggered images -> target: where the attack is still being learned. A little better where the attack is complete.
 * - Fu, triggered images -> the model's own answer on their clean twins: where the backdoor acts. The safe choice.
 */
import { mapVector, taskVector } from "../arithmetic/task-vector.ts";
import type { Weights } from "../tensor/tensor.ts";
import { bestRemoval, type DefenseInput, type Removal } from "./defense.ts";

export const lambdas: readonly number[] = [300, 3000];

export async function fisher(input: DefenseInput, of: readonly number[] = lambdas): Promise<Removal> {
  const tau = taskVector(input.backdoored, await input.finetune(input.forget));
  const clean = await input.gradientSquares(input.clean);
  const removals: Removal[] = [];
  for (const [weights, data] of [
    ["Fu", input.undone],
    ["Ft", input.forget],
  ] as const) {
    if (data === undefined) continue; // no clean twins: Fu is out of reach
    const backdoor = await input.gradientSquares(data);
    for (const lambda of of) {
      const weighted = fisherWeighted(tau, backdoor, clean, lambda);
      removals.push({ tau: weighted, search: await input.search(weighted), settings: { weights, lambda } });
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
