/**
 * CA and ASR. Both are the share of images taken for what they are compared with: their labels (clean accuracy), the answers of
 * another model (agreement), or the attacker's target (attack success rate, measured on triggered images of *other* classes:
 * a data set from `triggered()` has none of the target's own).
 */
import type { Dataset } from "../data/dataset.ts";
import type { Metric, Scorer } from "../engine/scorer.ts";
import { type Rate, rate } from "../stats/rate.ts";
import { badInput } from "../tensor/error.ts";
import type { Weights } from "../tensor/tensor.ts";

/** A metric that says which images are hits, too. */
export interface MetricOfEach extends Metric {
  /** A character for each image, in their order: 1 for a hit, else 0. */
  each(weights: Weights): Promise<string>;
}

/** Hits are images whose answer equals `expected` at their place. */
export function metric(scorer: Scorer, expected: ArrayLike<number>): MetricOfEach {
  return {
    size: scorer.size,
    async each(weights) {
      return Array.from(await scorer.answers(weights), (answer, i) => (answer === expected[i] ? "1" : "0")).join("");
    },
    async hits(weights, from = 0, to = scorer.size) {
      const answers = await scorer.answers(weights, from, to);
      let hits = 0;
      for (let i = 0; i < answers.length; i++) if (answers[i] === expected[from + i]) hits++;
      return hits;
    },
  };
}

/** The rate over all images. */
export async function measure(of: Metric, weights: Weights): Promise<Rate> {
  return rate(await of.hits(weights), of.size);
}

/** Some of a scorer's images, in this order; it is asked for all of its own at once. */
export function chosen(scorer: Scorer, indices: readonly number[]): Scorer {
  return {
    size: indices.length,
    async answers(weights, from = 0, to = indices.length) {
      const all = await scorer.answers(weights);
      return Int32Array.from(indices.slice(from, to), (i) => all[i]);
    },
  };
}

/** Labels of a data set; throws `bad-input` when one has none. */
export function labelsOf(dataset: Dataset): Int32Array {
  return Int32Array.from({ length: dataset.size }, (_, i) => {
    const { label, id } = dataset.example(i);
    if (label === undefined) throw badInput(`${dataset.name}: ${id} has no label`);
    return label;
  });
}
