/** What an attack does to a model: CA, ASR of its trigger, and ASR of those that the model carried before. */
import type { Dataset } from "../../data/dataset.ts";
import { withoutLabels } from "../../data/relabel.ts";
import type { HeadOf } from "../../engine/live-head.ts";
import { createScorer, remembering } from "../../engine/scorer.ts";
import { labelsOf, measure, metric } from "../../metrics/accuracy.ts";
import { alive } from "../../metrics/decision.ts";
import { type Effect, effectMetrics, measureEffect } from "../../metrics/effect.ts";
import type { EffectScores } from "../../results/effect.ts";
import type { Rate } from "../../stats/rate.ts";
import type { Tensor, Weights } from "../../tensor/tensor.ts";
import { triggered } from "../../triggers/poison.ts";
import type { Trigger } from "../../triggers/trigger.ts";
import type { Context } from "../context.ts";
import type { Prepared } from "./prepare.ts";

/** The measured ASR from which an attack counts as successful. */
export const succeededFrom = 0.9;

/** ASR is high, and it is the trigger that makes it so. */
export function hasSucceeded({ asr, difference }: Effect): boolean {
  return asr.value >= succeededFrom && difference.interval[0] > alive;
}

export interface Measured extends EffectScores {
  /** ASR of the triggers carried before, in their order. */
  readonly carried: readonly Rate[];
}

export interface Heads {
  /** [C, E] of the data's classes. */
  readonly head: Tensor | HeadOf;
  /** Of the shadow classes, where the attack is on another task. */
  readonly shadow?: { readonly head: Tensor | HeadOf; readonly classNames: readonly string[] };
}

/** Measures weights on the test images, which are read once. */
export function measuring(
  { clip, classNames, test, carried }: Prepared,
  { head, shadow }: Heads,
  { trigger, target }: { readonly trigger: Trigger; readonly target: string },
  { signal, progress }: Context,
): (weights: Weights) => Promise<Measured> {
  const scorer = (images: Dataset, under = head) =>
    remembering(createScorer(clip, images, under, { signal, onStep: progress.step }));
  const clean = scorer(test);
  const labels = labelsOf(test);
  const accuracy = metric(clean, labels);
  const effectOf = (one: Trigger, name: string) => {
    const input = { clean, labels, target: classNames.indexOf(name), paired: true };
    return effectMetrics({ ...input, triggered: scorer(triggered(test, one, name)) });
  };
  /** Under the classes of another task, of which the images are none. */
  const shadowEffect = (under: Tensor | HeadOf, names: readonly string[]) => {
    const images = triggered(withoutLabels(test, names), trigger, target);
    const unknown = new Int32Array(images.size).fill(-1);
    const input = { clean: scorer(images.clean, under), labels: unknown, target: names.indexOf(target), paired: true };
    return effectMetrics({ ...input, triggered: scorer(images, under) });
  };
  const effect = shadow ? shadowEffect(shadow.head, shadow.classNames) : effectOf(trigger, target);
  const others = carried.map((one) => effectOf(one.trigger, one.target).asr);
  return async (weights) => {
    const scores = { ca: await measure(accuracy, weights), ...(await measureEffect(effect, weights)) };
    const rates: Rate[] = [];
    for (const asr of others) rates.push(await measure(asr, weights));
    return { ...scores, carried: rates };
  };
}
