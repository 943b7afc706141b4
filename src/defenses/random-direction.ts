/**
 * The control of controls: a random vector as long as TBAR's, tensor by tensor, scaled by alpha. What it reaches comes from damage alone, not
 * from a direction.
 */
import { norm, taskVector } from "../arithmetic/task-vector.ts";
import { random } from "../tensor/random.ts";
import type { Weights } from "../tensor/tensor.ts";
import { type Defense, forgetting, subtracting } from "./defense.ts";

export const randomDirection: Defense = {
  name: "random-direction",
  title: "Random direction",
  about: "a random vector, in each tensor as long as TBAR's; a control",
  needs: [],
  control: true,
  cost: (sizes, beside) => ({ trained: beside.includes("plain") ? 0 : forgetting(sizes) }),
  async run(input) {
    const tau = taskVector(input.backdoored, await input.finetune(input.forget));
    return subtracting(input, randomLike(tau));
  },
};

/** Normal values, each tensor scaled to the norm of the given one's. */
export function randomLike(tau: Weights): Weights {
  return new Map(
    [...tau].map(([name, value]) => {
      const data = new Float32Array(value.data.length);
      random("random direction", name).fillNormal(data);
      const drawn = { shape: value.shape, data };
      const by = norm(new Map([[name, value]])) / norm(new Map([[name, drawn]]));
      return [name, { shape: value.shape, data: data.map((v) => by * v) }];
    }),
  );
}
