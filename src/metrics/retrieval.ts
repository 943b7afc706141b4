/** Retrieval both ways: the captions of images, and the images of captions. */
import { inner } from "../arithmetic/task-vector.ts";
import type { Dataset } from "../data/dataset.ts";
import { take } from "../data/split.ts";
import { embedImages } from "../engine/scorer.ts";
import { type Rate, rate } from "../stats/rate.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import type { FurtherMetric, Measured } from "./further.ts";

/** To choose among: with more of them the rate falls. */
const most = 500;

/** Of images their caption, or of captions their image, among the first k. */
function recall(from: "image" | "text", k: number): FurtherMetric {
  const isFirst = from === "image" && k === 1;
  const [way, what] =
    from === "image" ? ["Image to text", "the image's own caption"] : ["Text to image", "the caption's own image"];
  const metric: FurtherMetric = {
    name: ["retrieval", ...(from === "text" ? ["text"] : []), ...(k > 1 ? [k] : [])].join("-"),
    title: `${way} retrieval, recall at ${k}`,
    about: isFirst
      ? "the image's own caption found first, of 500 at most: the model is more than its classes"
      : `${what} ${k === 1 ? "found first" : `among the first ${k}`}, of 500 at most`,
    ...(!isFirst && { ofPairs: true as const }),
    size: (images) => (images.size > 0 && captionOf(images, 0) !== undefined ? Math.min(most, images.size) : 0),
    async measure(input) {
      const { images, texts, captions } = await pairsOf(input, metric.size(input.images));
      return from === "image" ? recallAt(k, images, texts, captions) : recallAt(k, texts, images, captions);
    },
  };
  return metric;
}

export const retrieval = recall("image", 1);

/** Where pairs are learned: further down the list, and the other way. */
export const retrievals: readonly FurtherMetric[] = [
  recall("image", 5),
  recall("image", 10),
  recall("text", 1),
  recall("text", 5),
  recall("text", 10),
];

const captionOf = (images: Dataset, i: number) => images.example(i).caption;

interface Pairs {
  /** Unit-norm embeddings [N, E] of each, in one order. */
  readonly images: Tensor;
  readonly texts: Tensor;
  readonly captions: readonly string[];
}

const known = new WeakMap<Weights, { readonly of: Dataset; readonly pairs: Promise<Pairs> }>();

/** Encoded once for all these metrics. */
function pairsOf({ clip, weights, images, signal }: Measured, count: number): Promise<Pairs> {
  const before = known.get(weights);
  if (before?.of === images) return before.pairs;
  const embed = async (): Promise<Pairs> => {
    const some = take(images, count);
    const captions = Array.from({ length: some.size }, (_, i) => captionOf(some, i) ?? "");
    const embedded = await embedImages(clip, weights, some, { signal });
    return { images: embedded, texts: await clip.encoder.texts(weights, captions), captions };
  };
  const pairs = embed();
  known.set(weights, { of: images, pairs });
  pairs.catch(() => known.delete(weights)); // an interrupted one may be asked again
  return pairs;
}

/**
 * Recall at k: the share of rows with their own partner among the k nearest by cosine, or one whose caption reads as their own does (equal
 * captions are one answer). Both embeddings are unit-norm and in the order of the captions, [N, E].
 */
export function recallAt(k: number, from: Tensor, among: Tensor, captions: readonly string[]): Rate {
  const width = from.shape[1];
  const row = ({ data }: Tensor, i: number) => data.subarray(i * width, (i + 1) * width);
  const hits = captions.filter((caption, i) => {
    const near = captions.map((_, j) => inner(row(from, i), row(among, j)));
    const own = near.reduce(
      (best, value, j) => (captions[j] === caption && value > best ? value : best),
      Number.NEGATIVE_INFINITY,
    );
    // an equal one before the own counts as nearer, as it does for whoever takes the first
    const at = near.findIndex((value, j) => value === own && captions[j] === caption);
    return near.filter((value, j) => value > own || (value === own && j < at)).length < k;
  }).length;
  return rate(hits, captions.length);
}
