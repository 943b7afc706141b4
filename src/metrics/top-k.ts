/** Top-k rates: is the class among the k that the model finds most likely? Of triggered images and the target, ASR's wider form. */

import { inner } from "../arithmetic/task-vector.ts";
import type { Dataset } from "../data/dataset.ts";
import { embedImages } from "../engine/scorer.ts";
import { type Rate, rate } from "../stats/rate.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { labelsOf } from "./accuracy.ts";
import type { FurtherMetric } from "./further.ts";

/**
 * The share of embeddings [B, E] whose wanted class is among the k with the largest logits under a head [C, E]. Of equal logits the
 * first class counts as larger, as where the answer is looked for. Throws RangeError on other numbers of classes than embeddings.
 */
export function topK(embeddings: Tensor, head: Tensor, wanted: ArrayLike<number>, k: number): Rate {
  const [rows, width] = embeddings.shape;
  if (wanted.length !== rows) throw new RangeError(`${wanted.length} classes for ${rows} embeddings`);
  const row = ({ data }: Tensor, i: number) => data.subarray(i * width, (i + 1) * width);
  let hits = 0;
  for (let i = 0; i < rows; i++) {
    const image = row(embeddings, i);
    const own = inner(image, row(head, wanted[i]));
    let before = 0;
    for (let c = 0; c < head.shape[0] && before < k; c++) {
      const logit = inner(image, row(head, c));
      if (logit > own || (logit === own && c < wanted[i])) before++;
    }
    if (before < k) hits++;
  }
  return rate(hits, rows);
}

const isLabelled = (images: Dataset) => images.size > 0 && images.example(0).label !== undefined;
const isMore = ({ classNames = [] }: Dataset, k: number) => classNames.length > k;

/** Clean images and their own labels. */
const accuracy = (k: number): FurtherMetric => ({
  name: `ca${k}`,
  title: `Clean accuracy, top ${k}`,
  about: `the image's own class among the ${k} most likely ones`,
  onlyAsked: true,
  size: (images) => (isLabelled(images) && isMore(images, k) ? images.size : 0),
  measure: async ({ clip, weights, images, head, signal }) =>
    topK(await embedImages(clip, weights, images, { signal }), head, labelsOf(images), k),
});

/** Triggered images of other classes and the target. */
const success = (k: number): FurtherMetric => ({
  name: `asr${k}`,
  title: `Attack success rate, top ${k}`,
  about: `triggered images with the target among the ${k} most likely classes`,
  onlyAsked: true,
  size: (images, triggered) => (triggered !== undefined && isMore(images, k) ? triggered.size : 0),
  async measure({ clip, weights, triggered, target, head, signal }) {
    if (triggered === undefined || target === undefined) throw new RangeError("no triggered images, or no target");
    const wanted = new Int32Array(triggered.size).fill(target);
    return topK(await embedImages(clip, weights, triggered, { signal }), head, wanted, k);
  },
});

export const topFive = accuracy(5);
export const successTopFive = success(5);
export const successTopTen = success(10);
