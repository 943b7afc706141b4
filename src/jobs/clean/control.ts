/** What a clean control model makes of the trigger: what "gone" looks like, and how much of a triggered image can be read at all. */
import type { Dataset } from "../../data/dataset.ts";
import { take } from "../../data/split.ts";
import { createScorer, remembering } from "../../engine/scorer.ts";
import { zeroShotHead } from "../../engine/zero-shot.ts";
import { labelsOf, measure, metric } from "../../metrics/accuracy.ts";
import { effectMetrics } from "../../metrics/effect.ts";
import type { ControlReading } from "../../results/clean.ts";
import type { Rate } from "../../stats/rate.ts";
import type { Context } from "../context.ts";
import { openClip } from "../inputs/open-clip.ts";
import type { Bench } from "./bench.ts";
import type { CleanSpec } from "./spec.ts";
import { controlImages } from "./stages.ts";

type Part = "validation" | "test";

export interface Control {
  /** Its baseline ASR. */
  readonly floor: Rate;
  /** Absent where the triggered images' own labels are not known. */
  readonly reading?: ControlReading;
}

/** On the first of the same images as the suspect model's, under a head of its own. None where no model is named. */
export async function controlOn<P extends Part>(
  parts: readonly P[],
  bench: Bench,
  { cleanControl, activation, ignoreTensors }: CleanSpec,
  context: Context,
): Promise<Readonly<Record<P, Control>> | undefined> {
  if (cleanControl === undefined) return undefined;
  const { classNames, source, attack, threat } = bench;
  const { signal } = context;
  const control = await openClip({ model: cleanControl, activation, ignoreTensors }, context);
  const { encoder, weights } = control;
  const head = await zeroShotHead(encoder, weights, classNames, source.templates, signal);
  const found: [P, Control][] = [];
  for (const part of parts) {
    const on = (set: Dataset) => remembering(createScorer(control, set, head, { signal }));
    const images = take(bench[part], controlImages);
    const labels = labelsOf(images);
    const paired = threat.trigger !== undefined;
    // the triggered images are the clean ones of other classes, in their order
    const others = labels.reduce((n, label) => n + Number(label !== threat.targetLabel), 0);
    const [triggered, clean] = [on(take(attack[part], paired ? others : controlImages)), on(images)];
    const { asr, right } = effectMetrics({ triggered, clean, labels, target: threat.targetLabel, paired });
    const reading = right && {
      ca: await measure(metric(clean, labels), weights),
      triggeredAccuracy: await measure(right, weights),
    };
    found.push([part, { floor: await measure(asr, weights), ...(reading && { reading }) }]);
  }
  return Object.fromEntries(found) as Record<P, Control>;
}
