/** What the attack's own trigger does before and after, where the checkpoint names it: the last measurement, which nothing was chosen by. */
import { storedTrigger } from "../../../attacks/index.ts";
import { createScorer } from "../../../engine/scorer.ts";
import { measure, metric } from "../../../metrics/accuracy.ts";
import type { Truth } from "../../../results/unknown.ts";
import type { Weights } from "../../../tensor/tensor.ts";
import { triggered } from "../../../triggers/poison.ts";
import type { Context } from "../../context.ts";
import { implantedTriggers } from "../../inputs/model-facts.ts";
import type { Bench } from "../bench.ts";

const note =
  "the trigger that the checkpoint's metadata name was not used for cleaning nor for any choice: it is measured here alone";

/** Undefined where the metadata name no trigger, or one that cannot be drawn here (a picture, a folder of images). */
export async function truthOf(
  { clip, test, asked, classNames }: Bench,
  after: Weights,
  variants: Readonly<Record<string, Weights>>,
  { signal, progress }: Context,
): Promise<Truth | undefined> {
  const measured: Omit<Truth, "note" | "others">[] = [];
  for (const { trigger: spec, target } of implantedTriggers(clip.checkpoint.metadata)) {
    const label = classNames.indexOf(target);
    if (label < 0) continue;
    try {
      const images = triggered(test, storedTrigger(spec), target);
      const scorer = createScorer(clip, images, asked, { signal, onStep: progress.step });
      const asr = metric(scorer, new Int32Array(images.size).fill(label));
      const of = (weights: Weights) => measure(asr, weights);
      const by: Record<string, Awaited<ReturnType<typeof of>>> = {};
      for (const [name, weights] of Object.entries(variants)) by[name] = await of(weights);
      measured.push({
        trigger: spec,
        target,
        asr: { before: await of(clip.weights), after: await of(after) },
        variants: by,
      });
    } catch (error) {
      signal?.throwIfAborted();
      if ((error as { code?: string }).code !== "bad-input") throw error;
    }
  }
  const [first, ...others] = measured;
  return first && { ...first, note, ...(others.length > 0 && { others }) };
}
