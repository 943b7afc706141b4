/** What a clean control model makes of the trigger: what "gone" looks like, and how much of a triggered image can be read at all. */
import type { Dataset } from "../../data/dataset.ts";
import { indicesOf, subset, take } from "../../data/split.ts";
import { createScorer, remembering } from "../../engine/scorer.ts";
import { zeroShotHead } from "../../engine/zero-shot.ts";
import { labelsOf, measure, metric } from "../../metrics/accuracy.ts";
import type { ControlReading } from "../../results/clean.ts";
import type { Rate } from "../../stats/rate.ts";
import type { Context } from "../context.ts";
import { openClip } from "../inputs/open-clip.ts";
import { checkpointFacts } from "../record/facts.ts";
import type { Bench } from "./bench.ts";
import type { CleanSpec } from "./spec.ts";
import { controlImages } from "./stages.ts";

type Part = "validation" | "test";
type Named = Pick<CleanSpec, "cleanControl" | "activation" | "ignoreTensors">;

export interface Control {
  /** Its baseline ASR. */
  readonly floor: Rate;
  /** Absent of a folder of triggered images: which they were is not known. */
  readonly reading?: ControlReading;
}

/** On the first of the same images as the suspect model's, under a head of its own. None where no model is named. */
export async function controlOn<P extends Part>(
  parts: readonly P[],
  bench: Bench,
  { cleanControl, activation, ignoreTensors }: Named,
  context: Context,
): Promise<Readonly<Record<P, Control>> | undefined> {
  if (cleanControl === undefined) return undefined;
  const { classNames, source, attack, threat } = bench;
  const { signal, progress } = context;
  const control = await openClip({ model: cleanControl, activation, ignoreTensors }, context);
  const { encoder, weights } = control;
  const { sha256 } = await checkpointFacts(control.checkpoint);
  const found: [P, Control][] = [];
  try {
    const head = await zeroShotHead(encoder, weights, classNames, source.templates, signal);
    const asked = (set: Dataset) => {
      const scorer = remembering(createScorer(control, set, head, { keep: 0, signal, onStep: progress.step }));
      return (labels: Int32Array) => measure(metric(scorer, labels), weights);
    };
    for (const part of parts) {
      const images = take(bench[part], controlImages);
      const others = subset(
        images,
        indicesOf(images, ({ label }) => label !== threat.targetLabel),
      );
      const paired = threat.trigger !== undefined; // then the triggered images are the clean ones of other classes, in their order
      const triggered = take(attack[part], paired ? others.size : controlImages);
      const said = asked(triggered);
      const floor = await said(new Int32Array(triggered.size).fill(threat.targetLabel));
      const own = labelsOf(others);
      const reading = paired && {
        sha256,
        ca: await asked(others)(own),
        asr: floor,
        triggeredAccuracy: await said(own),
      };
      found.push([part, { floor, ...(reading && { reading }) }]);
    }
  } finally {
    await encoder.release();
  }
  return Object.fromEntries(found) as Record<P, Control>;
}
