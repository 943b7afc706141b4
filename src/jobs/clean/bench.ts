/** What a cleaning is measured on: labelled sets that share no image, the zero-shot head, and the metrics of both sides. */
import { cached } from "../../data/cached.ts";
import type { Dataset } from "../../data/dataset.ts";
import { captionedAs, withLabels, withoutLabels } from "../../data/relabel.ts";
import { subset } from "../../data/split.ts";
import type { HeadOf } from "../../engine/live-head.ts";
import {
  createScorer,
  knowing,
  type Metric,
  remembering,
  type Scorer,
  type ScorerOptions,
} from "../../engine/scorer.ts";
import { checkBatch } from "../../engine/tasks.ts";
import { labelsOf, type MetricOfEach, measure, metric } from "../../metrics/accuracy.ts";
import { chanceAgreement } from "../../metrics/decision.ts";
import { type EffectOfEach, effectMetrics } from "../../metrics/effect.ts";
import { stillRight } from "../../metrics/retention.ts";
import type { Scores as FrozenScores } from "../../results/effect.ts";
import type { Tensor, Weights } from "../../tensor/tensor.ts";
import type { Context } from "../context.ts";
import { headsOf } from "../inputs/heads.ts";
import { type Folder, ordinaryImages } from "../inputs/ordinary.ts";
import type { Prepared } from "./prepare.ts";
import { type AttackSets, attackSets } from "./threat.ts";

export interface Bench extends Prepared {
  /** Of the text tower as it came: what labels are learned under. */
  readonly head: Tensor;
  /** What is measured with: where both towers learn, the head of whatever weights are measured. */
  readonly asked: Tensor | HeadOf;
  /** CA and ASR on test images under the frozen head, where they are measured with the live one. */
  underFrozen?(weights: Weights): Promise<FrozenScores>;
  /** Clean images, labelled; those for training and choosing have no image of `heldOut` classes. */
  readonly clean: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  readonly attack: AttackSets;
  /** A metric of clean images against their labels, and of triggered ones against the target. */
  cleanMetric(dataset: Dataset): MetricOfEach;
  attackMetric(dataset: Dataset): Metric;
  /** Clean images that were right before and still are. */
  stillRight(dataset: Dataset): Metric;
  /** Validation CA that chance alone would give the model as it came. */
  chance(): Promise<number>;
  /** What is to be said of a folder of triggered images: are they ordinary ones of the target class? */
  ordinary(given: Dataset): Promise<Folder>;
  /** What the trigger does on validation or test images. */
  effect(part: "validation" | "test"): EffectOfEach;
}

export async function setUp(ready: Prepared, seed: number, { signal, progress }: Context): Promise<Bench> {
  const { clip, source, classNames, threat, drawn, heldOut, recipe } = ready;
  const { targetLabel } = threat;
  const isLabelled = ready.labels === "given";
  const isOfPairs = recipe.objective === "contrastive";
  const { templates } = source;
  const { frozen: head, asked } = await headsOf(clip, { classNames, templates }, recipe, signal);
  // read for the model's own answers, for CA and for ASR: decoded once; only with the trigger are the pixels worth keeping again
  const once = (set: Dataset) => cached(set, clip.preprocess);
  const scorer = (dataset: Dataset, scoring?: ScorerOptions, under = asked) =>
    createScorer(clip, dataset, under, { signal, onStep: progress.step, ...scoring });
  const keptAlready = { keep: 0 };
  const labelled = async (set: Dataset): Promise<Dataset> =>
    isLabelled ? set : withLabels(set, await scorer(set, keptAlready).answers(clip.weights), classNames);
  const seen = (set: Dataset) => {
    const indices = Array.from({ length: set.size }, (_, i) => i);
    const kept = indices.filter((i) => !heldOut.has(set.example(i).label as number));
    return subset(set, kept);
  };
  // of these only those of the target need be known, and a caption names it: no image need be encoded
  const forget = seen(isLabelled ? drawn.forget : withoutLabels(drawn.forget, classNames));
  const validation = seen(await labelled(once(drawn.validation)));
  const test = await labelled(once(drawn.test));
  const attack = attackSets(threat, { forget, validation, test }, { classNames, templates, seed });
  const answered = await labelled(drawn.clean);
  const clean = seen(isOfPairs && !isLabelled ? captionedAs(drawn.clean, answered) : answered);
  if (isOfPairs)
    for (const set of clean.size > 0 ? [attack.forget, clean] : [attack.forget]) checkBatch(set, recipe.batch);
  const cleanScorers = new Map<Dataset, Scorer>();
  const cleanScorer = (dataset: Dataset) => {
    const asked = remembering(scorer(dataset, keptAlready));
    // a model's own answers need not be measured
    const made = isLabelled ? asked : knowing(asked, clip.weights, labelsOf(dataset));
    const known = cleanScorers.get(dataset) ?? made;
    cleanScorers.set(dataset, known);
    return known;
  };
  const toTarget = (dataset: Dataset, under = asked) =>
    metric(scorer(dataset, {}, under), new Int32Array(dataset.size).fill(targetLabel));
  return {
    ...ready,
    head,
    asked,
    ...(asked !== head && {
      underFrozen: async (weights: Weights) => ({
        ca: await measure(metric(scorer(test, keptAlready, head), labelsOf(test)), weights),
        asr: await measure(toTarget(attack.test, head), weights),
      }),
    }),
    clean,
    validation,
    test,
    attack,
    cleanMetric: (dataset) => metric(cleanScorer(dataset), labelsOf(dataset)),
    attackMetric: (dataset) => toTarget(dataset),
    stillRight: (dataset) => stillRight(cleanScorer(dataset), labelsOf(dataset), clip.weights),
    ordinary: (given) => {
      const labels = labelsOf(test);
      return ordinaryImages({ clip, weights: clip.weights, given, clean: test, labels, target: targetLabel, signal });
    },
    chance: async () => chanceAgreement(await cleanScorer(validation).answers(clip.weights), labelsOf(validation)),
    effect(part) {
      const images = { validation, test }[part];
      return effectMetrics({
        triggered: remembering(scorer(attack[part])),
        clean: cleanScorer(images),
        labels: labelsOf(images),
        target: targetLabel,
        paired: threat.trigger !== undefined,
      });
    },
  };
}
