/** Image to text retrieval. */
import type { Dataset } from "../data/dataset.ts";
import { take } from "../data/split.ts";
import { embedImages } from "../engine/scorer.ts";
import { classify } from "../engine/zero-shot.ts";
import { type Rate, rate } from "../stats/rate.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { FurtherMetric } from "./further.ts";

/** Captions to choose among: with more of them the rate falls. */
const most = 500;

export const retrieval: FurtherMetric = {
  name: "retrieval",
  title: "Image to text retrieval, recall at 1",
  about: "the image's own caption found first, of 500 at most: the model is more than its classes",
  size: (images) => (images.size > 0 && captionOf(images, 0) !== undefined ? Math.min(most, images.size) : 0),
  async measure({ clip, weights, images, signal }) {
    const some = take(images, retrieval.size(images));
    const captions = Array.from({ length: some.size }, (_, i) => captionOf(some, i) ?? "");
    const embedded = await embedImages(clip, weights, some, { signal });
    return recallAt1(embedded, await clip.encoder.texts(weights, captions), captions);
  },
};

const captionOf = (images: Dataset, i: number) => images.example(i).caption;

/**
 * Recall at 1: the share of images whose nearest caption, by cosine, reads as their own does (equal captions are one answer).
 * Both embeddings are unit-norm and in the same order, [N, E].
 */
export function recallAt1(images: Tensor, texts: Tensor, captions: readonly string[]): Rate {
  const nearest = classify(images, texts);
  const hits = captions.filter((caption, i) => captions[nearest[i]] === caption).length;
  return rate(hits, captions.length);
}
