/**
 * TBAR's vector of the last linear map, along the trigger (ours): of each of its rows what lies in the direction in which the trigger moves the map's
 * inputs, tau f f^T with |f| = 1. What goes back along it leaves alone whatever of an image does not point there.
 */
import { mapVector, taskVector } from "../arithmetic/task-vector.ts";
import { isProjection } from "../clip/parameters.ts";
import type { Weights } from "../tensor/tensor.ts";
import { answeredTo, type Defense, forgetting, startOf, subtracting } from "./defense.ts";
import { direction } from "./projection.ts";

export const aligned: Defense = {
  name: "aligned",
  title: "TBAR, aligned (ours)",
  about: "the last linear map's vector, along the direction in which the trigger moves the features",
  needs: ["pairs", "a transformer", "a last linear map"],
  cost: (sizes, beside) => ({
    trained: 0,
    encoded: 2 * sizes.forget + (beside.includes("last-map") ? 0 : forgetting({ ...sizes, learned: false })),
  }),
  async run(input) {
    const { pairs } = await answeredTo(input, "aligned");
    const tau = taskVector(input.backdoored, await input.finetune(input.forget, { modules: "projection" }));
    const f = direction(await input.features(input.forget), await input.features(pairs));
    const along = alongInputs(tau, f);
    return subtracting(input, along, { start: startOf(along, tau) });
  },
};

/** tau f f^T of the last linear map's vector [E, D], f [D] of length 1; nothing of other tensors. */
export function alongInputs(tau: Weights, f: Float64Array): Weights {
  const rows = new Map<string, Float64Array>();
  for (const [name, { shape, data }] of tau)
    if (isProjection(name))
      rows.set(name, Float64Array.from({ length: shape[0] }, (_, row) => f.reduce((sum, v, i) => sum + v * data[row * f.length + i], 0))); // biome-ignore format: one line
  return mapVector(tau, (_, name, i) => (rows.get(name)?.[Math.floor(i / f.length)] ?? 0) * f[i % f.length]);
}
