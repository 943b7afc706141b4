/** What inversions minimise: losses of unit-norm image embeddings [n, E], sums or means over the images of a batch, as graph nodes. */
import type { PixelLoss } from "../engine/pixel-gradients.ts";
import { type Node, scalar } from "../graph/node.ts";
import {
  add,
  concat,
  linear,
  log,
  logSoftmax,
  mul,
  neg,
  reduceMean,
  reduceSum,
  reduceSumSquare,
  relu,
  scale,
  slice,
  softmax,
  sub,
} from "../graph/ops/index.ts";
import { ssim } from "./ssim.ts";

/** Cross-entropy to `targets` [n, C] under `head` [C, E], summed. Minus the targets instead leads away from them. */
export const towardTargets: PixelLoss = (embeddings, { head, targets }) => {
  const logits = linear(embeddings, head);
  return { loss: neg(reduceSum(mul(logSoftmax(logits), targets))), logits };
};

/** DECREE's: minus the mean cosine of two different images. The cosines of all pairs sum to |sum of embeddings|^2, n of them to themselves. */
export const alike: PixelLoss = (embeddings) => {
  const [n] = embeddings.shape;
  const all = reduceSumSquare(reduceSum(embeddings, [0]));
  const cosine = scale(sub(all, scalar(n)), 1 / (n * (n - 1)));
  return { loss: neg(cosine), cosine };
};

/** Entropy of the mean prediction over the batch, under `head`: small where all images are taken for one class, whichever that is. */
export const entropyOfMean: PixelLoss = (embeddings, { head }) => {
  const mean = reduceMean(softmax(linear(embeddings, head)), [0]);
  return { loss: neg(reduceSum(mul(mean, log(add(mean, scalar(1e-12)))))) };
};

/** CLIP-Inspector's: the strongest other logit less the target's, summed; `targets` [n, C] under `head` [C, E]. */
export const margin: PixelLoss = (embeddings, { head, targets }) => {
  const logits = linear(embeddings, head);
  const others = sub(logits, scale(targets, 1e3));
  const margins = sub(largest(others), reduceSum(mul(logits, targets), [-1], true));
  return { loss: reduceSum(margins), margins, logits };
};

/** The largest value of each row of [n, C]: max(a, b) = a + relu(b - a) over ever fewer columns. */
function largest(x: Node): Node {
  const count = x.shape[1];
  if (count === 1) return x;
  const half = Math.floor(count / 2);
  const [a, b] = [slice(x, 1, 0, half), slice(x, 1, half, 2 * half)];
  const most = add(a, relu(sub(b, a)));
  return largest(count % 2 === 0 ? most : concat([most, slice(x, 1, 2 * half, count)], 1));
}

/**
 * BTI-DBF's second half: features outside of the benign mask are to move, those inside to stay. `clean` [n, E] are embeddings without
 * trigger, `benign` [E] is the mask; `weight` [] is that of staying.
 */
export const otherFeatures: PixelLoss = (embeddings, { clean, benign, weight }) => {
  const moved = sub(embeddings, clean);
  const kept = reduceSumSquare(mul(moved, benign));
  const others = reduceSumSquare(mul(moved, sub(scalar(1), benign)));
  return { loss: sub(mul(kept, weight), others), kept, others };
};

/**
 * InverTune's: 5 InfoNCE towards the target's text + 0.5 |embedding - target's features|^2 + (1 - SSIM to the image without trigger), means
 * over images; the mask's size is its form's. `texts` [C, E] are unit directions over the temperature, `features` [E] the mean embedding of
 * images of the target, `near` [] the weight of coming near to them, `clean` [n, 3, S, S] the images.
 */
export const textGuided: PixelLoss = (embeddings, { texts, targets, features, near, clean }, pixels) => {
  const [n] = embeddings.shape;
  const logits = linear(embeddings, texts);
  const toText = scale(neg(reduceSum(mul(logSoftmax(logits), targets))), 5 / n);
  const toImages = mul(scale(reduceSumSquare(sub(embeddings, features)), 1 / n), near);
  return { loss: add(add(toText, toImages), sub(scalar(1), ssim(pixels, clean))), toText, logits };
};
