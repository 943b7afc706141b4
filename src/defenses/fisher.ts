/**
 * TBAR with a Fisher-weighted vector (ours): tau'_i = tau_i F_i / (F_i + lambda Fc_i). Where clean images hold a weight
 * (Fc large) it stays; where the backdoor holds it, it goes. Two choices of F:
 * - Ft, triggered images -> target: where the attack is still being learned. Better where the attack is complete.
 * - Fu, triggered images -> the model's own answer on the same images without it: where the backdoor acts. The safe choice.
 * Both are tried on the vector of triggered images alone and on that of the anchored set; validation chooses.
 */
import { mapVector, taskVector } from "../arithmetic/task-vector.ts";
import type { Weights } from "../tensor/tensor.ts";
import { bestRepair } from "./best-repair.ts";
import { type Defense, forgetting, type Repair, startOf, subtracting } from "./defense.ts";

export const lambda = 300;
/** On triggers that only stand for the attack's own a stronger one may carry over farther. */
const lambdasOnStandIns = [lambda, 3000];

export const fisher: Defense = {
  name: "fisher",
  title: "TBAR, Fisher-weighted (ours)",
  about: "the vector weighted by where the backdoor acts",
  needs: ["clean images"],
  cost: (sizes, beside) => ({
    trained:
      2 * sizes.forget +
      sizes.clean +
      (beside.includes("plain") ? 0 : forgetting(sizes)) +
      (beside.includes("anchored") ? 0 : sizes.anchored * sizes.epochs),
    encoded: sizes.forget,
    searches: 4,
    copies: 4,
  }),
  async run(input) {
    const clean = await input.gradientSquares(input.clean);
    const answered = await input.answered?.();
    const repairs: Repair[] = [];
    for (const [forget, images] of Object.entries({ triggered: input.forget, anchored: input.anchored })) {
      const tau = taskVector(input.backdoored, await input.finetune(images));
      for (const [weights, data] of Object.entries({ Fu: answered?.undone, Ft: input.forget })) {
        if (data === undefined) continue; // the images without the trigger are not known: Fu is out of reach
        if (input.onStandIns && weights === "Ft") continue; // of a trigger that is not the attack's own it says little
        const squares = await input.gradientSquares(data);
        for (const strength of input.onStandIns ? lambdasOnStandIns : [lambda]) {
          const weighted = fisherWeighted(tau, squares, clean, strength);
          const start = startOf(weighted, tau);
          repairs.push(await subtracting(input, weighted, { start, forget, weights, lambda: strength }));
        }
      }
    }
    return bestRepair(repairs);
  },
};

/** tau_i F_i / (F_i + lambda Fc_i); 0 where both are 0. */
export function fisherWeighted(tau: Weights, backdoor: Weights, clean: Weights, lambda: number): Weights {
  return mapVector(tau, (value, name, i) => {
    const f = backdoor.get(name)?.data[i] ?? 0;
    const total = f + lambda * (clean.get(name)?.data[i] ?? 0);
    return total === 0 ? 0 : (value * f) / total;
  });
}
