/** Retention: how much of the clean accuracy is left, on the same images before and after. */
import type { Metric, Scorer } from "../engine/scorer.ts";
import type { Rate } from "../stats/rate.ts";
import { leastBoth, type Retention, retention } from "../stats/retention.ts";
import type { Weights } from "../tensor/tensor.ts";

/** Clean accuracy before and after, and the share of images that were right before and still are. */
export interface Kept {
  readonly before: Rate;
  readonly after: Rate;
  /** Absent in results of 0.1.0: then the worst pairing that the two counts allow is taken. */
  readonly stillRight?: Rate;
}

const hits = ({ value, n }: Rate) => Math.round(value * n);

/** CA after / CA before with its 95 % interval. */
export function retentionOf({ before, after, stillRight }: Kept): Retention {
  const [one, other] = [hits(before), hits(after)];
  const both = stillRight === undefined ? leastBoth(one, other, after.n) : hits(stillRight);
  return retention({ before: one, after: other, both });
}

/** The same rates among n images. */
export function stretchedRetention({ before, after, stillRight }: Kept, n: number): Retention {
  const both = stillRight === undefined ? leastBoth(before.value * n, after.value * n, n) : stillRight.value * n;
  return retention({ before: before.value * n, after: after.value * n, both });
}

/** Why no answers make these three rates; undefined where some do. */
export function keptFault({ before, after, stillRight }: Kept): string | undefined {
  if (stillRight === undefined) return undefined;
  const { n } = stillRight;
  const [one, other, both] = [hits(before), hits(after), hits(stillRight)];
  if (before.n === n && after.n === n && both <= Math.min(one, other) && both >= leastBoth(one, other, n))
    return undefined;
  return `of ${before.n} images ${one} were right before, of ${after.n} ${other} after, and of ${n} ${both} both times`;
}

/** Images whose answer was expected under the weights before and still is. The scorer should remember the answers before. */
export function stillRight(scorer: Scorer, expected: ArrayLike<number>, before: Weights): Metric {
  return {
    size: scorer.size,
    async hits(weights, from = 0, to = scorer.size) {
      const [first, second] = [await scorer.answers(before, from, to), await scorer.answers(weights, from, to)];
      return first.reduce((n, answer, i) => (answer === expected[from + i] && second[i] === answer ? n + 1 : n), 0);
    },
  };
}
