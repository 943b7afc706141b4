/** Image to text retrieval. */
import { type Rate, rate } from "../stats/rate.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Recall at 1: the share of images whose nearest caption, by cosine, reads as their own does (equal captions are one answer).
 * Both embeddings are unit-norm and in the same order, [N, E].
 */
export function recallAt1(images: Tensor, texts: Tensor, captions: readonly string[]): Rate {
  const [n, width] = images.shape;
  let hits = 0;
  for (let i = 0; i < n; i++) {
    let best = -1;
    let highest = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < n; j++) {
      let cosine = 0;
      for (let e = 0; e < width; e++) cosine += images.data[i * width + e] * texts.data[j * width + e];
      if (cosine > highest) {
        highest = cosine;
        best = j;
      }
    }
    if (captions[best] === captions[i]) hits++;
  }
  return rate(hits, n);
}
