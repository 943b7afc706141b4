/** The bench of a cleaning: the model with its head, image sets that share no image, and what is measured on them. */

import { storedTrigger } from "../../attacks/index.ts";
import { cached } from "../../data/cached.ts";
import type { Dataset } from "../../data/dataset.ts";
import { withLabels, withoutLabels } from "../../data/relabel.ts";
import { subset } from "../../data/split.ts";
import { type LoadedClip, loadClip } from "../../engine/clip.ts";
import {
  createScorer,
  knowing,
  type Metric,
  remembering,
  type Scorer,
  type ScorerOptions,
} from "../../engine/scorer.ts";
import { zeroShotHead } from "../../engine/zero-shot.ts";
import { labelsOf, metric } from "../../metrics/accuracy.ts";
import { chanceAgreement } from "../../metrics/decision.ts";
import { type EffectMetrics, effectMetrics } from "../../metrics/effect.ts";
import { stillRight } from "../../metrics/retention.ts";
import type { Opened } from "../../results/opened.ts";
import { badInput, type TbarError, unknownName } from "../../tensor/error.ts";
import { random } from "../../tensor/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Trigger } from "../../triggers/trigger.ts";
import { checkClasses } from "../inputs/classes.ts";
import { openedData, openedModel } from "../inputs/describe-opened.ts";
import { checkFits } from "../inputs/feasible.ts";
import { askedTrigger, type Implanted, implantedTriggers } from "../inputs/model-facts.ts";
import { type Folder, ordinaryImages } from "../inputs/ordinary.ts";
import { neededClasses, openSource, type Source } from "../inputs/source.ts";
import type { CleanOptions } from "./clean.ts";
import { type AttackSets, givenSets, stampedSets } from "./knowledge.ts";

export interface CleanSetup {
  readonly clip: LoadedClip;
  readonly classNames: readonly string[];
  readonly head: Tensor;
  readonly target: string;
  readonly targetLabel: number;
  readonly trigger?: Trigger;
  readonly triggerSource: string;
  /** Triggers that the checkpoint carries besides. */
  readonly remaining: readonly Implanted[];
  readonly dataName: string;
  readonly skipped: number;
  /** Images drawn, before any was left out; of a folder of triggered images, those of its parts. */
  readonly drawn: Readonly<Record<"validation" | "test", number>>;
  readonly opened: Opened;
  readonly source: Source;
  readonly labels: "given" | "agreement";
  /** Clean images, labelled; those for training and choosing have no image of `heldOut` classes. */
  readonly clean: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  readonly attack: AttackSets;
  /** Labels of classes that cleaning never sees. */
  readonly heldOut: ReadonlySet<number>;
  /** A metric of clean images against their labels, and of triggered ones against the target. */
  cleanMetric(dataset: Dataset): Metric;
  attackMetric(dataset: Dataset): Metric;
  /** Clean images that were right before and still are. */
  stillRight(dataset: Dataset): Metric;
  /** Validation CA that chance alone would give the model as it came. */
  chance(): Promise<number>;
  /** What is to be said of the class names. */
  readonly warnings: readonly string[];
  /** What is to be said of a folder of triggered images: are they ordinary ones of the target class? */
  ordinary(given: Dataset): Promise<Folder>;
  /** What the trigger does on validation or test images. */
  effect(part: "validation" | "test"): EffectMetrics;
}

/**
 * One class in ten is kept from cleaning, so that its accuracy afterwards tells what cleaning did to all that it never saw. Without
 * labels there are no classes to keep.
 */
const heldOutShare = 0.1;

/** Labels of the classes that are kept from a cleaning; the target's is none of them. */
export function heldOutClasses(classNames: readonly string[], target: number, seed: number): ReadonlySet<number> {
  const count = Math.floor(heldOutShare * classNames.length);
  const others = classNames.map((_, label) => label).filter((label) => label !== target);
  return new Set(random(seed, "held-out classes").shuffle(others).slice(0, count));
}

export function unknownTrigger(model: string): TbarError {
  return badInput(
    `${model} does not say which trigger it carries; name it with --trigger KIND:key=value or bring a folder of triggered images`,
  );
}

export async function setUp(options: CleanOptions): Promise<CleanSetup> {
  const { sizes, seed, signal } = options;
  const clip = await loadClip(options.model, options);
  const { metadata } = clip.checkpoint;
  const given = options.triggered;
  const implanted = askedTrigger(metadata, options);
  const target = options.target ?? implanted?.target;
  const trigger = options.trigger ?? (given === undefined && implanted ? storedTrigger(implanted.trigger) : undefined);
  if (trigger === undefined && given === undefined) throw unknownTrigger(options.model);
  const source = await openSource(options.data, options);
  const classNames = neededClasses(source);
  if (target === undefined) throw badInput("which class does the trigger lead to? name it with --target NAME");
  await checkFits(trigger, clip.config.vision.imageSize);
  const targetLabel = classNames.indexOf(target);
  if (targetLabel < 0) throw unknownName("target class", target, classNames);
  const drawn = await source.sets(sizes);
  const opened: Opened = {
    models: [openedModel(clip.checkpoint)],
    data: { ...source.opened(), ...(given && { triggered: openedData(given) }) },
  };
  options.progress?.opened?.(opened);
  const warnings = checkClasses(clip.tokenize, { classNames, template: source.templates[0], target });
  const head = await zeroShotHead(clip.encoder, clip.weights, classNames, source.templates, signal);
  // read for the model's own answers, for CA and for ASR: decoded once; only with the trigger are the pixels worth keeping again
  const once = (set: Dataset) => cached(set, clip.preprocess);
  const raw = { ...drawn, validation: once(drawn.validation), test: once(drawn.test) };
  const scorer = (dataset: Dataset, scoring?: ScorerOptions) =>
    createScorer(clip, dataset, head, { signal, onStep: options.progress?.step, ...scoring });
  const keptAlready = { keep: 0 };
  const isLabelled = Object.values(raw).every((set) => set.size === 0 || set.example(0).label !== undefined);
  const labelled = async (set: Dataset): Promise<Dataset> =>
    isLabelled ? set : withLabels(set, await scorer(set, keptAlready).answers(clip.weights), classNames);

  const heldOut = isLabelled ? heldOutClasses(classNames, targetLabel, seed) : new Set<number>();
  const seen = (set: Dataset) => {
    const indices = Array.from({ length: set.size }, (_, i) => i);
    return subset(
      set,
      indices.filter((i) => !heldOut.has(set.example(i).label as number)),
    );
  };
  // of these only those of the target need be known, and a caption names it: no image need be encoded
  const forget = seen(isLabelled ? raw.forget : withoutLabels(raw.forget, classNames));
  const validation = seen(await labelled(raw.validation));
  const test = await labelled(raw.test);
  const attack =
    trigger === undefined
      ? givenSets(given as Dataset, classNames, target, seed)
      : stampedSets({ forget, validation, test }, trigger, target);
  const cleanScorers = new Map<Dataset, Scorer>();
  const cleanScorer = (dataset: Dataset) => {
    const asked = remembering(scorer(dataset, keptAlready));
    // a model's own answers need not be measured
    const made = isLabelled ? asked : knowing(asked, clip.weights, labelsOf(dataset));
    const known = cleanScorers.get(dataset) ?? made;
    cleanScorers.set(dataset, known);
    return known;
  };
  return {
    clip,
    classNames,
    head,
    target,
    targetLabel,
    trigger,
    remaining: implantedTriggers(metadata).filter((one, i) =>
      implanted === undefined ? one.target !== target : i + 1 !== (options.triggerIndex ?? 1),
    ),
    triggerSource: options.trigger ? "option" : given ? `images of ${given.name}` : "the checkpoint's metadata",
    dataName: source.name,
    skipped: source.skipped,
    drawn:
      given === undefined
        ? { validation: drawn.validation.size, test: drawn.test.size }
        : { validation: attack.validation.size, test: attack.test.size },
    opened,
    source,
    labels: isLabelled ? "given" : "agreement",
    clean: seen(await labelled(raw.clean)),
    validation,
    test,
    attack,
    heldOut,
    cleanMetric: (dataset) => metric(cleanScorer(dataset), labelsOf(dataset)),
    attackMetric: (dataset) => metric(scorer(dataset), new Int32Array(dataset.size).fill(targetLabel)),
    stillRight: (dataset) => stillRight(cleanScorer(dataset), labelsOf(dataset), clip.weights),
    warnings,
    ordinary: (given) =>
      ordinaryImages({
        clip,
        weights: clip.weights,
        given,
        clean: test,
        labels: labelsOf(test),
        target: targetLabel,
        signal,
      }),
    chance: async () => chanceAgreement(await cleanScorer(validation).answers(clip.weights), labelsOf(validation)),
    effect(part) {
      const images = { validation, test }[part];
      return effectMetrics({
        triggered: remembering(scorer(attack[part])),
        clean: cleanScorer(images),
        labels: labelsOf(images),
        target: targetLabel,
        paired: trigger !== undefined,
      });
    },
  };
}
