/** CA, ASR and retention of any weights, counted once: what was counted before a kill is not counted again. */
import { asStored } from "../../checkpoint/rounding.ts";
import type { Metric } from "../../engine/scorer.ts";
import { measure } from "../../metrics/accuracy.ts";
import { type EffectMetrics, measureEffect } from "../../metrics/effect.ts";
import type { AfterScores, EffectScores } from "../../results/effect.ts";
import { type Difference, pairedDifference } from "../../stats/difference.ts";
import type { Weights } from "../../tensor/tensor.ts";
import type { Work } from "../progress/work.ts";
import type { Bench } from "./bench.ts";

export interface Scores {
  /** On validation images. */
  readonly clean: Metric;
  readonly effect: EffectMetrics;
  /** On test images. */
  before(): Promise<EffectScores>;
  after(weights: Weights): Promise<AfterScores>;
  /** CA and ASR of `one` less those of `other`, image by image on test images. */
  compared(one: Weights, other: Weights): Promise<{ readonly ca: Difference; readonly asr: Difference }>;
  /** As the file will hold them: half precision can undo a small vector, so all that is measured is what is stored. Counts are kept by name. */
  stored(weights: Weights, name?: string): Weights;
}

export function scoring(bench: Bench, work: Work | undefined): Scores {
  const { clip } = bench;
  const names = new WeakMap<Weights, string>([[clip.weights, "before"]]);
  const counted = (metric: Metric, what: string) =>
    work?.counted(metric, what, (weights) => names.get(weights)) ?? metric;
  const effectOf = (part: "validation" | "test"): EffectMetrics => {
    const { asr, withoutTrigger, both, right, hitBy } = bench.effect(part);
    return {
      asr: counted(asr, `ASR on ${part}`),
      withoutTrigger: counted(withoutTrigger, `target without trigger on ${part}`),
      both: both && counted(both, `target with and without trigger on ${part}`),
      right: right && counted(right, `own label with trigger on ${part}`),
      hitBy: (other) => counted(hitBy(other), `target on ${part}, as by the model ${names.get(other)}`),
    };
  };
  const ca = counted(bench.cleanMetric(bench.test), "CA on test");
  const still = counted(bench.stillRight(bench.test), "right before and after on test");
  const effect = effectOf("test");
  const score = async (on: Weights) => ({ ca: await measure(ca, on), ...(await measureEffect(effect, on)) });
  const paired = async (of: Metric, both: Metric, [one, other]: readonly [Weights, Weights]) => {
    const [first, second, joint] = [await of.hits(one), await of.hits(other), await both.hits(one)];
    return pairedDifference({ first: first - joint, second: second - joint, n: of.size });
  };
  return {
    clean: counted(bench.cleanMetric(bench.validation), "CA on validation"),
    effect: effectOf("validation"),
    before: () => score(clip.weights),
    after: async (weights) => ({ ...(await score(weights)), stillRight: await measure(still, weights) }),
    compared: async (one, other) => ({
      ca: await paired(ca, counted(bench.stillRight(bench.test, other), `right on test, as by the model ${names.get(other)}`), [one, other]), // biome-ignore format: one line
      asr: await paired(effect.asr, effect.hitBy(other), [one, other]),
    }),
    stored(weights, name) {
      const rounded = asStored(weights, clip.checkpoint.dtypes, clip.weights);
      if (name !== undefined) names.set(rounded, name);
      return rounded;
    },
  };
}
