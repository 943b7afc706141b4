/** A checkpoint beside a reference, such as the model before an attack or a cleaning; and on other data sets than its own. */
import { cached } from "../../data/cached.ts";
import type { Dataset } from "../../data/dataset.ts";
import { createScorer } from "../../engine/scorer.ts";
import { zeroShotHead } from "../../engine/zero-shot.ts";
import { labelsOf } from "../../metrics/accuracy.ts";
import { disagreements } from "../../metrics/disentanglement.ts";
import { retentionOf } from "../../metrics/retention.ts";
import type { Beside } from "../../results/eval.ts";
import { type Rate, rate } from "../../stats/rate.ts";
import { badInput } from "../../tensor/error.ts";
import type { Context } from "../context.ts";
import { modelPath } from "../inputs/names.ts";
import { neededClasses, openSource, type Source } from "../inputs/source.ts";
import { loadSubject, type Subject } from "../inputs/subject.ts";
import type { EvalSpec } from "./spec.ts";

/** The reference, and the other data sets, opened: what --dry-run refuses is what the job refuses. */
export async function openBeside(spec: EvalSpec, seed: number, testImages: number, context: Context) {
  const reference =
    spec.reference === undefined ? undefined : await loadSubject(modelPath(spec.reference), { ...spec, ...context });
  const also: On[] = [];
  for (const data of spec.also ?? []) {
    const { encoding, skipBad } = spec;
    const source = await openSource(data, { seed, encoding, skipBad });
    neededClasses(source);
    const { test } = await source.sets({ test: testImages });
    if (test.example(0).label === undefined)
      throw badInput(`--also ${data}: its images have no labels, so no answer can be right`);
    also.push({ source, test });
  }
  return { ...(reference && { reference }), also };
}

/** Labelled images, and their classes and prompts. */
interface On {
  readonly source: Source;
  readonly test: Dataset;
}

interface Standing extends On {
  readonly clip: Subject;
  readonly reference?: Subject;
  /** Other data sets. */
  readonly also: readonly On[];
}

/** CA of the model on a data set, each model under a head of its own; beside the reference's, where there is one. */
async function measuredOn(
  clip: Subject,
  reference: Subject | undefined,
  { source, test }: On,
  { signal, progress }: Context,
) {
  const classNames = neededClasses(source);
  const answersOf = async (model: Subject) => {
    const head = await zeroShotHead(model.encoder, model.weights, classNames, source.templates, signal);
    const images = cached(test, model.preprocess);
    return createScorer(model, images, head, { signal, onStep: progress.step }).answers(model.weights);
  };
  const labels = labelsOf(test);
  const answers = await answersOf(clip);
  const other = reference && (await answersOf(reference));
  const of = (right: (i: number) => boolean): Rate => rate([...labels.keys()].filter(right).length, labels.length);
  const ca = of((i) => answers[i] === labels[i]);
  return { ca, ...(other && { beside: besideOf({ ca, answers, other, labels, of }) }) };
}

interface Answered {
  readonly ca: Rate;
  readonly answers: Int32Array;
  readonly other: Int32Array;
  readonly labels: Int32Array;
  readonly of: (right: (i: number) => boolean) => Rate;
}

function besideOf({ ca, answers, other, labels, of }: Answered): Beside {
  const before = of((i) => other[i] === labels[i]);
  const stillRight = of((i) => other[i] === labels[i] && answers[i] === labels[i]);
  return {
    ca: before,
    stillRight,
    agreement: rate(labels.length - disagreements(answers, other), labels.length),
    retention: retentionOf({ before, after: ca, stillRight }),
  };
}

/** What a result says of both: the reference's figures on the job's own data, and all of them on each other data set. */
export async function measureBeside(ready: Standing, context: Context) {
  const { clip, reference, also } = ready;
  const own = reference && (await measuredOn(clip, reference, ready, context));
  const others: { data: string; ca: Rate; beside?: Beside }[] = [];
  for (const one of also) others.push({ data: one.source.name, ...(await measuredOn(clip, reference, one, context)) });
  return {
    ...(reference && { reference: await reference.facts() }),
    ...(own?.beside && { beside: own.beside }),
    ...(others.length > 0 && { also: others }),
  };
}
