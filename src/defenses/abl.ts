/**
 * Anti-backdoor learning (Li et al. 2021, arXiv 2110.11571), its last two steps: of the set that the model was trained on, the 1 % with the lowest
 * loss are taken for poison, and the loss of these is climbed. Ours: losses under the frozen zero-shot head of the model as it came (the paper
 * ranks while it trains), at least 32 images, and the learning rate by validation. Against TBAR: it has to own the training set.
 */
import { inner } from "../arithmetic/task-vector.ts";
import type { Dataset } from "../data/dataset.ts";
import { subset } from "../data/split.ts";
import { badInput } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { choosing, type Defense } from "./defense.ts";
import { ascend, ascentRates } from "./gradient-ascent.ts";

/** Share of the training set that is isolated, and the least number of images. */
const isolatedShare = 0.01;
const isolatedLeast = 32;

export const abl: Defense = {
  name: "abl",
  title: "ABL",
  about: "climbs the loss of those training images that are learned best; needs the poisoned training set",
  paper: "arXiv 2110.11571",
  needs: ["training set"],
  control: true,
  cost: ({ training = 0, epochs }) => ({
    trained: ascentRates.length * isolatedCount(training) * epochs,
    encoded: training,
    measured: ascentRates.length,
  }),
  async run(input) {
    const { training } = input;
    if (training === undefined) throw badInput("abl needs the training set (--training-data)");
    const losses = lossesOf(await input.embed(training), input.head, training);
    const isolated = lowest(losses, isolatedCount(training.size));
    return choosing(input, "lr", ascentRates, (lr) => ascend(input, subset(training, isolated), lr), {
      isolated: isolated.length,
    });
  },
};

const isolatedCount = (size: number) => Math.min(size, Math.max(isolatedLeast, Math.round(isolatedShare * size)));

/** Cross-entropy of each image to its own label, of unit embeddings [N, E] under a head [C, E]. */
export function lossesOf({ shape: [, E], data }: Tensor, head: Tensor, { size, example }: Dataset): Float64Array {
  const [classes] = head.shape;
  const row = (of: Float32Array, i: number) => of.subarray(i * E, (i + 1) * E);
  return Float64Array.from({ length: size }, (_, i) => {
    const logits = Array.from({ length: classes }, (_, c) => inner(row(data, i), row(head.data, c)));
    const most = Math.max(...logits);
    const label = example(i).label;
    if (label === undefined) throw badInput(`abl: ${example(i).id} of the training set has no label`);
    return most + Math.log(logits.reduce((sum, l) => sum + Math.exp(l - most), 0)) - logits[label];
  });
}

/** Indices of the lowest, in rising order of index. */
export function lowest(values: Float64Array, count: number): number[] {
  const order = [...values.keys()].sort((a, b) => values[a] - values[b] || a - b);
  return order.slice(0, count).sort((a, b) => a - b);
}
