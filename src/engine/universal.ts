/** A universal perturbation: one, bounded in each value, for all images, under which a model fails most (arXiv 1610.08401, here by signed steps). */
import { crossEntropy } from "../clip/loss.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Node } from "../graph/node.ts";
import { linear, neg } from "../graph/ops/index.ts";
import { constantRate } from "../optim/schedule.ts";
import { signSteps } from "../optim/sign.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import type { Clip } from "./clip.ts";
import { type LabelBatch, oneHot } from "./objectives.ts";
import { clampTo, type InputLoss, optimizeInput, perturbed } from "./optimize-input.ts";
import { labelled } from "./tasks.ts";

export interface Universal {
  /** Zero-shot head [C, E], scale included. */
  readonly head: Tensor;
  /** The largest change of a value, of pixels in [0, 1]. */
  readonly epsilon?: number;
  readonly batch: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** Of labelled images, one pass over them: [3, S, S] that raises the mean cross-entropy to their labels. */
export function universalPerturbation(
  clip: Clip,
  weights: Weights,
  dataset: Dataset,
  { head, epsilon = 10 / 255, batch, seed, signal }: Universal,
): Promise<Tensor> {
  const S = clip.config.vision.imageSize;
  const [classes] = head.shape;
  return optimizeInput<LabelBatch>({
    clip,
    weights,
    start: tensor([3, S, S]),
    batches: labelled(dataset, { batch, seed, preprocess: clip.preprocess }),
    feeds: ({ pixels, labels }) => ({ pixels, head, targets: oneHot(labels, classes) }),
    loss: failing,
    optimizer: signSteps(),
    schedule: constantRate(epsilon / 8),
    project: clampTo(-epsilon, epsilon),
    signal,
  });
}

/** Minus the cross-entropy of perturbed images to their labels: lowered, it makes the model fail. */
export const failing = ({ variable, feeds, embed }: InputLoss): Node =>
  neg(crossEntropy(linear(embed(perturbed(feeds.pixels, variable)), feeds.head), feeds.targets));

/** The same images with a perturbation [3, S, S] added, within [0, 1]. */
export function withPerturbation(dataset: Dataset, { data: delta }: Tensor): Dataset {
  return {
    ...dataset,
    name: `${dataset.name}+perturbation`,
    async read(indices, preprocess) {
      const { shape, data } = await dataset.read(indices, preprocess);
      const out = data.map((value, i) => Math.min(1, Math.max(0, value + delta[i % delta.length])));
      return { shape, data: out };
    },
  };
}
