/** Counting right answers of a model on a data set, a piece at a time: what every rate is made of. */
import { isVision } from "../clip/parameters.ts";
import { batches } from "../data/batches.ts";
import { cached } from "../data/cached.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import type { Clip } from "./clip.ts";
import { concatRows } from "./encoder.ts";
import { type HeadOf, headFor } from "./live-head.ts";
import { classify } from "./zero-shot.ts";

export interface ScorerOptions {
  readonly batch?: number;
  /** Pixels up to this many bytes are kept between calls, as 8-bit levels where they are such; more are read again each time. */
  readonly keep?: number;
  readonly signal?: AbortSignal;
  /** Called after each batch with the images answered and asked for. */
  readonly onStep?: (done: number, total: number) => void;
}

export interface Scorer {
  readonly size: number;
  /** The class each image from..to is taken for. */
  answers(weights: Weights, from?: number, to?: number): Promise<Int32Array>;
}

/** A rate that can be asked for image by image, so that a search may stop early. Metrics make them, defenses ask them. */
export interface Metric {
  readonly size: number;
  /** Hits among images from..to. */
  hits(weights: Weights, from?: number, to?: number): Promise<number>;
}

/** A data set under a head [C, E], or that of the weights asked about, ready to be asked under many weights. */
export function createScorer(clip: Clip, dataset: Dataset, head: Tensor | HeadOf, options: ScorerOptions = {}): Scorer {
  const { batch = 64, keep = 512 * 2 ** 20, signal, onStep } = options;
  const images = cached(dataset, clip.preprocess, keep);
  return {
    size: dataset.size,
    async answers(weights, from = 0, to = dataset.size) {
      const under = await headFor(head, weights);
      if (paysToPrepack(imageValues(weights), to - from)) await clip.encoder.prepack(weights);
      const found = new Int32Array(to - from);
      for (let at = Math.floor(from / batch) * batch; at < to; at += batch) {
        signal?.throwIfAborted();
        const count = Math.min(batch, dataset.size - at);
        const indices = Array.from({ length: count }, (_, i) => at + i);
        const pixels = await images.read(indices, clip.preprocess);
        const classes = classify(await clip.encoder.images(weights, pixels), under);
        for (let i = Math.max(at, from); i < Math.min(at + count, to); i++) found[i - from] = classes[i - at];
        onStep?.(Math.min(at + count, to) - from, to - from);
      }
      return found;
    },
  };
}

/** The same answers, asked for once: several metrics are counted on them. */
export function remembering(scorer: Scorer): Scorer {
  const known = new WeakMap<Weights, Map<string, Promise<Int32Array>>>();
  return {
    size: scorer.size,
    answers(weights, from = 0, to = scorer.size) {
      const ranges = known.get(weights) ?? new Map<string, Promise<Int32Array>>();
      known.set(weights, ranges);
      const key = `${from}-${to}`;
      const answers = ranges.get(key) ?? scorer.answers(weights, from, to);
      ranges.set(key, answers);
      answers.catch(() => ranges.delete(key)); // an interrupted one may be asked again
      return answers;
    },
  };
}

/** The same answers, where those of one model are known beforehand. */
export function knowing(scorer: Scorer, own: Weights, answers: Int32Array): Scorer {
  return {
    size: scorer.size,
    answers: async (weights, from = 0, to = scorer.size) =>
      weights === own ? answers.slice(from, to) : scorer.answers(weights, from, to),
  };
}

/** Packing pays for many images, and for weights that no cache holds: 7 % with ViT-B/32, nothing with the embedded model. */
export const paysToPrepack = (values: number, images: number): boolean => images >= 256 && values >= 8e6;

const imageValues = (weights: Weights): number =>
  [...weights].reduce((n, [name, { data }]) => (isVision(name) ? n + data.length : n), 0);

/** Unit-norm image embeddings [N, E] of a whole data set, in its order. */
export async function embedImages(
  clip: Clip,
  weights: Weights,
  dataset: Dataset,
  { batch = 64, signal }: Pick<ScorerOptions, "batch" | "signal"> = {},
): Promise<Tensor> {
  const parts: Tensor[] = [];
  if (paysToPrepack(imageValues(weights), dataset.size)) await clip.encoder.prepack(weights);
  for await (const { pixels } of batches(dataset, { batch, preprocess: clip.preprocess })) {
    signal?.throwIfAborted();
    parts.push(await clip.encoder.images(weights, pixels));
  }
  return concatRows(parts);
}
