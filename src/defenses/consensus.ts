/** Sign consensus (NegMerge, arXiv 2410.05583): the mean of several trigger vectors, kept only where all agree in sign. */
import { mapVector, taskVector } from "../arithmetic/task-vector.ts";
import type { Weights } from "../tensor/tensor.ts";
import { type Defense, startOf, subtracting, type Variation } from "./defense.ts";

const variations: readonly Variation[] = [
  { seed: 1, lr: 2 / 3 },
  { seed: 2, lr: 1 },
  { seed: 3, lr: 4 / 3 },
];

export const consensus: Defense = {
  name: "consensus",
  title: "Sign consensus",
  about: "the mean of three anchored vectors where they agree in sign",
  paper: "arXiv 2410.05583",
  needs: ["clean images"],
  cost: ({ anchored, epochs }) => ({ trained: variations.length * anchored * epochs }),
  async run(input) {
    const taus: Weights[] = [];
    for (const variation of variations) {
      taus.push(taskVector(input.backdoored, await input.finetune(input.anchored, variation)));
    }
    const tau = signConsensus(taus);
    return subtracting(input, tau, { start: startOf(tau, ...taus), vectors: taus.length });
  },
};

/** mean(tau_k) where every tau_k has the same sign, else 0. */
export function signConsensus(taus: readonly Weights[]): Weights {
  return mapVector(taus[0], (_, name, i) => {
    const values = taus.map((tau) => tau.get(name)?.data[i] ?? 0);
    const agree = values.every((v) => v > 0) || values.every((v) => v < 0);
    return agree ? values.reduce((a, b) => a + b, 0) / values.length : 0;
  });
}
