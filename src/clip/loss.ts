/** CLIP's losses over raw embeddings. */
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
  sqrt,
  transpose,
} from "../graph/ops/index.ts";

/** x / |x| along the last axis. */
export function unit(x: Node): Node {
  return div(x, sqrt(reduceSumSquare(x, [-1], true)));
}

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

/** Mean over rows of -sum(targets log softmax(logits)); targets [B, C] are rows of probabilities. */
export function crossEntropy(logits: Node, targets: Node): Node {
  const rows = logits.shape[0];
  return mul(reduceSum(mul(logSoftmax(logits), targets)), scalar(-1 / rows));
}

/** Zero-shot logits [B, C] of raw image embeddings under a head of class directions [C, E], scale included. */
export function headLogits(images: Node, head: Node): Node {
  return linear(unit(images), head);
}
