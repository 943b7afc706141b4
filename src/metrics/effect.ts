/** What a trigger does to a model's answers: the same images are asked with it and without it. */
import type { Metric, Scorer } from "../engine/scorer.ts";
import { type Difference, pairedDifference, unpairedDifference } from "../stats/difference.ts";
import { type Rate, rate } from "../stats/rate.ts";
import { badInput } from "../tensor/error.ts";
import type { Weights } from "../tensor/tensor.ts";
import { chosen, type MetricOfEach, metric } from "./accuracy.ts";

export interface Effect {
  /** Attack success rate: triggered images of other classes taken for the target. */
  readonly asr: Rate;
  /** The share of these images taken for the target without the trigger, or of others where there are no such pairs. */
  readonly withoutTrigger: Rate;
  /** asr - withoutTrigger: what the trigger does. */
  readonly difference: Difference;
  /** Triggered images that get their own label all the same. Absent where that is not known. */
  readonly triggeredAccuracy?: Rate;
}

/** The counts that an effect is made of. */
export interface EffectMetrics {
  readonly asr: Metric;
  readonly withoutTrigger: Metric;
  /** Taken for the target both ways; absent where the two sets are of different images. */
  readonly both?: Metric;
  readonly right?: Metric;
}

/** With the images that are hit. */
export interface EffectOfEach extends EffectMetrics {
  readonly asr: MetricOfEach;
}

export interface EffectInput {
  /** Answers to triggered images, and to clean ones. */
  readonly triggered: Scorer;
  readonly clean: Scorer;
  /** Labels of the clean images, -1 where there is none. Those of the target's own are left out. */
  readonly labels: ArrayLike<number>;
  readonly target: number;
  /** Are the triggered images the clean ones of other classes, in their order? */
  readonly paired: boolean;
}

export function effectMetrics({ triggered, clean, labels, target, paired }: EffectInput): EffectOfEach {
  const others = Array.from({ length: labels.length }, (_, i) => i).filter((i) => labels[i] !== target);
  const plain = chosen(clean, others);
  const own = others.map((i) => labels[i]);
  const toTarget = (scorer: Scorer) => metric(scorer, new Int32Array(scorer.size).fill(target));
  const [asr, withoutTrigger] = [toTarget(triggered), toTarget(plain)];
  if (!paired) return { asr, withoutTrigger };
  if (triggered.size !== others.length)
    throw new RangeError(`${triggered.size} triggered images for ${others.length} clean ones of other classes`);
  return {
    asr,
    withoutTrigger,
    both: {
      size: triggered.size,
      async hits(weights, from = 0, to = triggered.size) {
        const [a, b] = [await triggered.answers(weights, from, to), await plain.answers(weights, from, to)];
        return a.reduce((n, answer, i) => (answer === target && b[i] === target ? n + 1 : n), 0);
      },
    },
    ...(own.every((label) => label >= 0) && { right: metric(triggered, own) }),
  };
}

/** On the first `images` of them, all unless told. `z` is the quantile of the difference's interval alone. Throws `bad-input` on counts (kept ones, that somebody changed) that no answers make. */
export async function measureEffect(
  { asr, withoutTrigger, both, right }: EffectMetrics,
  weights: Weights,
  { images = asr.size, z }: { readonly images?: number; readonly z?: number } = {},
): Promise<Effect> {
  const n = Math.min(images, asr.size);
  const others = both === undefined ? withoutTrigger.size : n;
  const first = await asr.hits(weights, 0, n);
  const second = await withoutTrigger.hits(weights, 0, others);
  const [one, other] = [rate(first, n), rate(second, others)];
  const joint = both === undefined || n === 0 ? 0 : await both.hits(weights, 0, n);
  const own = right === undefined ? 0 : await right.hits(weights, 0, n);
  if (joint > Math.min(first, second) || own + first > n)
    throw badInput(
      `counts contradict each other: of ${n} triggered images ${first} are taken for the target, ${joint} of them also without the trigger ` +
        `(${second} are), and ${own} get their own label; if they are from a folder of --state, remove it`,
    );
  return {
    asr: one,
    withoutTrigger: other,
    difference:
      both === undefined
        ? unpairedDifference(rate(first, n, z), rate(second, others, z))
        : pairedDifference({ first: first - joint, second: second - joint, n }, z),
    ...(right && { triggeredAccuracy: rate(own, n) }),
  };
}
