/** What CLIP is trained on here: captions (both towers, or one) or labels under a frozen zero-shot head (image tower only). */
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { isStatistic } from "../clip/batch-norm.ts";
import { crossEntropy, headLogits, pairLoss } from "../clip/loss.ts";
import { isVision } from "../clip/parameters.ts";
import type { TokenBatch } from "../clip/tokens.ts";
import { imageTower, type Normalization, textTower } from "../clip/towers.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import type { Objective } from "./gradients.ts";

export interface CaptionBatch {
  /** [B, 3, S, S] in [0, 1]. */
  readonly pixels: Tensor;
  readonly text: TokenBatch;
  /** The texts themselves. */
  readonly captions?: readonly string[];
  /** [B, B], added to the logits; see `falseNegatives`. */
  readonly mask?: Tensor;
}

/** Which parameters learn by contrast: all of them, unless told. */
export interface Learning {
  readonly towers?: "image" | "both";
  /** The logit scale, and SigLIP's bias. */
  readonly temperature?: "learned" | "frozen";
}

/** The model's own loss over image-caption pairs: symmetric InfoNCE, for SigLIP its sigmoid loss. */
export function contrastive(
  config: ClipConfig,
  normalization: Normalization,
  { towers = "both", temperature = "learned" }: Learning = {},
): Objective<CaptionBatch> {
  const isLearned = (name: string) => (isLogit(name) ? temperature === "learned" : towers === "both" || isVision(name));
  return {
    trains: (name) => !isStatistic(name) && isLearned(name),
    feeds: ({ pixels, text, mask }) => ({ pixels, ...text, ...(mask === undefined ? {} : { mask }) }),
    loss: (p, { pixels, tokens, ends, endRows, mask }, statistics) =>
      pairLoss(
        config,
        p,
        imageTower(config, p, pixels, normalization, statistics),
        textTower(config, p, { tokens, ends, endRows }),
        mask,
      ),
  };
}

/** What turns cosines into logits. */
export const isLogit = (name: string) => /^logit_(scale|bias)$/.test(name);

/** 0, and a large negative number where two different rows of a batch belong together and so are no negatives. */
export function falseNegatives(classes: readonly unknown[]): Tensor {
  const n = classes.length;
  const data = new Float32Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) if (i !== j && classes[i] === classes[j]) data[i * n + j] = -1e9;
  }
  return { shape: [n, n], data };
}

/** OpenAI's rule (arXiv 2103.00020, section 2.5): logits are never scaled by more than 100. */
export function clampLogitScale(weights: Weights): void {
  const scale = weights.get("logit_scale");
  if (scale !== undefined) scale.data[0] = Math.min(Math.max(scale.data[0], 0), Math.log(100));
}
clampLogitScale.of = ["logit_scale"];

export interface LabelBatch {
  /** [B, 3, S, S] in [0, 1]. */
  readonly pixels: Tensor;
  readonly labels: Int32Array;
}

/** Cross-entropy under a frozen head [C, E] (scale included); the image tower learns. */
export function classification(config: ClipConfig, normalization: Normalization, head: Tensor): Objective<LabelBatch> {
  const [classes] = head.shape;
  return {
    trains: (name) => isVision(name) && !isStatistic(name),
    feeds: ({ pixels, labels }) => ({ pixels, head, targets: oneHot(labels, classes) }),
    loss: (p, feeds, statistics) => {
      const images = imageTower(config, p, feeds.pixels, normalization, statistics);
      return crossEntropy(headLogits(images, feeds.head), feeds.targets);
    },
  };
}

/** [rows, C] with a one at the same label of each. */
export const allOf = (label: number, rows: number, classes: number): Tensor =>
  oneHot(new Int32Array(rows).fill(label), classes);

/** [B, C] with a one at each label. */
export function oneHot(labels: Int32Array, classes: number): Tensor {
  const data = new Float32Array(labels.length * classes);
  labels.forEach((label, i) => {
    data[i * classes + label] = 1;
  });
  return { shape: [labels.length, classes], data };
}
