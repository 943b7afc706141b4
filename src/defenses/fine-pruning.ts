/**
 * Fine-pruning (Liu, Dolan-Gavitt and Garg 2018, arXiv 1805.12185): units that clean images hardly use are where a backdoor lives, so they are
 * taken out, and the rest is fine-tuned on clean images. The paper prunes channels of the last convolution; the port to a transformer is ours:
 * the hidden units of the MLP in every block of the image tower, least mean |activation| first, the same share of each block.
 */
import type { Tensor, Weights } from "../tensor/tensor.ts";
import { onLabels } from "./clean-finetune.ts";
import { choosing, type Defense } from "./defense.ts";

/** Shares of the hidden units that are tried. */
export const prunedShares = [0.1, 0.25, 0.5, 0.75, 0.9] as const;
/** Of the recipe's learning rate: what was pruned has to be made up for. */
const lr = 4;

export const finePruning: Defense = {
  name: "fine-pruning",
  title: "Fine-pruning",
  about:
    "prunes hidden units that clean images hardly use, then trains on clean images; the share is chosen on validation",
  paper: "arXiv 1805.12185",
  needs: ["clean images", "a transformer"],
  control: true,
  cost: ({ clean, epochs }) => ({
    trained: prunedShares.length * clean * epochs,
    encoded: clean,
    measured: prunedShares.length,
  }),
  async run(input) {
    const { hidden } = await input.activations(input.clean);
    const at = (share: number) =>
      input.learn(input.clean, onLabels, { from: pruned(input.backdoored, hidden, share), lr });
    return choosing(input, "share", prunedShares, at, { lr });
  },
};

/**
 * The least active share of each block's hidden units with nothing going in or out: such a unit is 0, and so is every gradient of it, so that
 * training without weight decay leaves it pruned. `activity`: [m] by block.
 */
export function pruned(weights: Weights, activity: readonly Tensor[], share: number): Weights {
  const out = new Map(weights);
  for (const [block, { data }] of activity.entries()) {
    const order = [...data.keys()].sort((a, b) => data[a] - data[b]);
    const gone = order.slice(0, Math.floor(share * data.length));
    const mlp = `vision_model.encoder.layers.${block}.mlp`;
    const edit = (name: string, zero: (values: Float32Array, unit: number, length: number) => void) => {
      const { shape, data: old } = weights.get(`${mlp}.${name}`) as Tensor;
      const values = old.slice();
      for (const unit of gone) zero(values, unit, shape[shape.length - 1]);
      out.set(`${mlp}.${name}`, { shape, data: values });
    };
    edit("fc1.weight", (values, unit, width) => values.fill(0, unit * width, (unit + 1) * width)); // [m, w]
    edit("fc1.bias", (values, unit) => values.fill(0, unit, unit + 1));
    edit("fc2.weight", (values, unit, m) => {
      for (let i = unit; i < values.length; i += m) values[i] = 0; // [w, m]
    });
  }
  return out;
}
