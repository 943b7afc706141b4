/** Image to text retrieval. */
import { classify } from "../engine/zero-shot.ts";
import { type Rate, rate } from "../stats/rate.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Recall at 1: the share of images whose nearest caption, by cosine, reads as their own does (equal captions are one answer).
 * Both embeddings are unit-norm and in the same order, [N, E].
 */
export function recallAt1(images: Tensor, texts: Tensor, captions: readonly string[]): Rate {
  const nearest = classify(images, texts);
  const hits = captions.filter((caption, i) => captions[nearest[i]] === caption).length;
  return rate(hits, captions.length);
}
