/** CA, ASR and retention of any weights, counted once: what was counted before a kill is not counted again. */
import { z } from "zod";
import { asStored } from "../../checkpoint/rounding.ts";
import type { Metric } from "../../engine/scorer.ts";
import { measure } from "../../metrics/accuracy.ts";
import { type EffectMetrics, measureEffect } from "../../metrics/effect.ts";
import type { AfterScores, EffectScores } from "../../results/effect.ts";
import { badInput } from "../../tensor/error.ts";
import type { Weights } from "../../tensor/tensor.ts";
import type { Work } from "../progress/work.ts";
import type { Bench } from "./bench.ts";

/** Of a model, a character for each image, 1 or 0: is this test image right, is this triggered one taken for the target? */
export interface Outcomes {
  readonly right: string;
  readonly hit: string;
}
const bits = z.string().max(1e7).regex(/^[01]*$/); // biome-ignore format: one line
const outcomesSchema = z.strictObject({ right: bits, hit: bits });
const ones = (of: string): number => of.length - of.replaceAll("1", "").length;

export interface Scores {
  /** On validation images. */
  readonly clean: Metric;
  readonly effect: EffectMetrics;
  /** On test images. */
  before(): Promise<EffectScores>;
  after(weights: Weights): Promise<AfterScores>;
  /** Kept as those of this defense. */
  outcomes(weights: Weights, defense: string): Promise<Outcomes>;
  /** As the file will hold them: half precision can undo a small vector, so all that is measured is what is stored. Counts are kept by name. */
  stored(weights: Weights, name?: string): Weights;
}

export function scoring(bench: Bench, work: Work | undefined): Scores {
  const { clip } = bench;
  const names = new WeakMap<Weights, string>([[clip.weights, "before"]]);
  const counted = (metric: Metric, what: string) =>
    work?.counted(metric, what, (weights) => names.get(weights)) ?? metric;
  const onTest = { clean: bench.cleanMetric(bench.test), effect: bench.effect("test") };
  const effectOf = (part: "validation" | "test"): EffectMetrics => {
    const { asr, withoutTrigger, both, right } = part === "test" ? onTest.effect : bench.effect(part);
    return {
      asr: counted(asr, `ASR on ${part}`),
      withoutTrigger: counted(withoutTrigger, `target without trigger on ${part}`),
      both: both && counted(both, `target with and without trigger on ${part}`),
      right: right && counted(right, `own label with trigger on ${part}`),
    };
  };
  const ca = counted(onTest.clean, "CA on test");
  const still = counted(bench.stillRight(bench.test), "right before and after on test");
  const effect = effectOf("test");
  const score = async (on: Weights) => ({ ca: await measure(ca, on), ...(await measureEffect(effect, on)) });
  return {
    clean: counted(bench.cleanMetric(bench.validation), "CA on validation"),
    effect: effectOf("validation"),
    before: () => score(clip.weights),
    after: async (weights) => ({ ...(await score(weights)), stillRight: await measure(still, weights) }),
    async outcomes(weights, defense) {
      const make = async () => ({ right: await onTest.clean.each(weights), hit: await onTest.effect.asr.each(weights) }); // biome-ignore format: one line
      const found = work === undefined ? await make() : await work.kept(`outcomes-${defense}`, outcomesSchema, make);
      for (const [of, { size, hits }] of [
        [found.right, ca],
        [found.hit, effect.asr],
      ] as const) {
        const counts = [ones(of), await hits(weights)];
        if (of.length !== size || counts[0] !== counts[1])
          throw badInput(`counts contradict each other: ${counts[0]} hits of ${of.length} images, and ${counts[1]} of ${size}; if they are from a folder of --state, remove it`); // biome-ignore format: one line
      }
      return found;
    },
    stored(weights, name) {
      const rounded = asStored(weights, clip.checkpoint.dtypes, clip.weights);
      if (name !== undefined) names.set(rounded, name);
      return rounded;
    },
  };
}
