/** CLIP's and SigLIP's losses over raw embeddings. */
import type { ClipConfig } from "../checkpoint/config/config.ts";
import type { Node } from "../graph/node.ts";
import { scalar } from "../graph/node.ts";
import {
  add,
  div,
  exp,
  gemm,
  identity,
  linear,
  logSoftmax,
  mul,
  reduceSum,
  reduceSumSquare,
  scale,
  softplus,
  sqrt,
  transpose,
} from "../graph/ops/index.ts";
import type { Params } from "./parameters.ts";

/** x / |x| along the last axis. */
export const unit = (x: Node): Node => div(x, sqrt(reduceSumSquare(x, [-1], true)));

/** exp(logit scale) cos between images and texts: [B, B]. */
export function similarity(images: Node, texts: Node, logitScale: Node): Node {
  return mul(gemm(unit(images), unit(texts), { transB: true }), exp(logitScale));
}

/**
 * Symmetric InfoNCE: half the cross-entropy over rows plus half that over columns, the diagonal being right.
 * `mask` [B, B] is added to the logits: large negative values take false negatives out of the softmax.
 */
export function contrastiveLoss(images: Node, texts: Node, logitScale: Node, mask?: Node): Node {
  const logits = similarity(images, texts, logitScale);
  const masked = mask === undefined ? logits : add(logits, mask);
  const diagonal = identity(images.shape[0]);
  return scale(add(crossEntropy(masked, diagonal), crossEntropy(transpose(masked, [1, 0]), diagonal)), 0.5);
}

/**
 * SigLIP's loss (arXiv 2303.15343, equation 1) over logits [B, B]: mean over rows of sum_j log(1 + e^(-l_ij z_ij)), l being 1
 * on the diagonal and else -1.
 */
export function sigmoidLoss(logits: Node): Node {
  const rows = logits.shape[0];
  const away = add(scale(identity(rows), -2), scalar(1)); // -l
  return scale(reduceSum(softplus(mul(logits, away))), 1 / rows);
}

/** The model's own logits of images against texts [B, B]: exp(logit scale) cos, and SigLIP adds its bias. */
export function pairLogits({ vision }: ClipConfig, p: Params, images: Node, texts: Node): Node {
  const logits = similarity(images, texts, p("logit_scale"));
  return vision.kind === "siglip" ? add(logits, p("logit_bias")) : logits;
}

/** The loss that the model was made for, of raw embeddings that belong together row by row; `mask` as in `contrastiveLoss`. */
export function pairLoss(config: ClipConfig, p: Params, images: Node, texts: Node, mask?: Node): Node {
  if (config.vision.kind !== "siglip") return contrastiveLoss(images, texts, p("logit_scale"), mask);
  const logits = pairLogits(config, p, images, texts);
  return sigmoidLoss(mask === undefined ? logits : add(logits, mask));
}

/** Mean over rows of -sum(targets log softmax(logits)); targets [B, C] are rows of probabilities. */
export function crossEntropy(logits: Node, targets: Node): Node {
  const rows = logits.shape[0];
  return mul(reduceSum(mul(logSoftmax(logits), targets)), scalar(-1 / rows));
}

/** Zero-shot logits [B, C] of raw image embeddings under a head of class directions [C, E], scale included. */
export const headLogits = (images: Node, head: Node): Node => linear(unit(images), head);
