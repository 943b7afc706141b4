/**
 * Direction projection, after Backdoor Directions (arXiv 2603.10806): the direction in which the trigger moves the model's features is taken
 * out of the weights that write them, W <- W - alpha d d^T W with |d| = 1. Ours: of all such weights only the last linear map of the image
 * tower, d from unit embeddings, and the search for alpha (1 is the projection itself). No training.
 */
import { isProjection } from "../clip/parameters.ts";
import { badInput } from "../tensor/error.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import { answeredTo, type Defense, subtracting } from "./defense.ts";

export const projection: Defense = {
  name: "projection",
  title: "Direction projection",
  about: "the trigger's mean direction taken out of the image tower's last linear map; no training",
  paper: "arXiv 2603.10806",
  needs: ["pairs", "a last linear map"],
  control: true,
  cost: ({ forget }) => ({ trained: 0, encoded: 3 * forget }),
  async run(input) {
    const { pairs } = await answeredTo(input, "projection");
    const d = direction(await input.embed(input.forget), await input.embed(pairs));
    return subtracting(input, alongDirection(input.backdoored, d));
  },
};

/** Mean row of `triggered` [N, E] less that of `clean`, of length 1. */
export function direction(triggered: Tensor, clean: Tensor): Float64Array {
  const width = triggered.shape[1];
  const d = new Float64Array(width);
  for (const [{ shape, data }, sign] of [[triggered, 1], [clean, -1]] as const)
    for (let i = 0; i < data.length; i++) d[i % width] += (sign * data[i]) / shape[0]; // biome-ignore format: two signs
  const length = Math.hypot(...d) || 1;
  return d.map((value) => value / length);
}

/** d d^T W (and d d^T b) of the last linear map W [E, D]: what alpha = 1 takes away. Throws `bad-input` where there is no such map. */
export function alongDirection(weights: Weights, d: Float64Array): Weights {
  const last = [...weights].filter(([name]) => isProjection(name));
  if (last.length === 0) throw badInput("projection: the image tower ends without a linear map; take another method");
  return new Map(
    last.map(([name, { shape, data }]) => {
      const columns = data.length / d.length;
      const along = new Float64Array(columns);
      for (let i = 0; i < data.length; i++) along[i % columns] += d[Math.floor(i / columns)] * data[i];
      const out = tensor(shape);
      for (let i = 0; i < data.length; i++) out.data[i] = d[Math.floor(i / columns)] * along[i % columns];
      return [name, out];
    }),
  );
}
