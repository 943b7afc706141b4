/** Measuring a checkpoint: CA, and ASR where a trigger is known; or once more what a receipt claims. */

import { storedTrigger } from "../../attacks/index.ts";
import { cached } from "../../data/cached.ts";
import type { Dataset } from "../../data/dataset.ts";
import { createScorer, remembering } from "../../engine/scorer.ts";
import { zeroShotHead } from "../../engine/zero-shot.ts";
import { version } from "../../files/version.ts";
import { labelsOf, measure, metric } from "../../metrics/accuracy.ts";
import { chanceAgreement, decide } from "../../metrics/decision.ts";
import { type Effect, effectMetrics, measureEffect } from "../../metrics/effect.ts";
import { imagesSha256, weightsSha256 } from "../../results/measured-on.ts";
import type { EvalResult } from "../../results/result.ts";
import type { Device } from "../../runtime/onnxruntime.ts";
import { badInput, unknownName } from "../../tensor/error.ts";
import { printable } from "../../tensor/printable.ts";
import { triggered } from "../../triggers/poison.ts";
import type { Trigger } from "../../triggers/trigger.ts";
import { checkClasses } from "../inputs/classes.ts";
import { openedData } from "../inputs/describe-opened.ts";
import { checkFits } from "../inputs/feasible.ts";
import { askedTrigger, type Implanted, implantedTriggers } from "../inputs/model-facts.ts";
import { type Folder, ordinaryImages } from "../inputs/ordinary.ts";
import { neededClasses, openSource, type SourceOptions } from "../inputs/source.ts";
import { loadSubject } from "../inputs/subject.ts";
import { evaluationStages } from "../progress/stages.ts";
import { compare, triggerNotes } from "../record/comparison.ts";
import { Clock, type JobOptions, machineFacts, silent } from "../record/facts.ts";
import { receiptSource, receiptTrigger } from "../record/receipt.ts";
import type { Receipt } from "../record/receipt-schema.ts";

export interface EvaluateOptions extends JobOptions, SourceOptions {
  readonly model: string;
  readonly data: string;
  /** The trigger and target; the checkpoint's own metadata unless told. Without either only CA is measured. */
  readonly trigger?: Trigger;
  readonly target?: string;
  /** Images that carry the trigger already, instead of a trigger to stamp; all of them are measured. */
  readonly triggered?: Dataset;
  /** Which of the metadata's triggers, counted from 1, where there are several. */
  readonly triggerIndex?: number;
  readonly testImages: number;
  /** Sizes of all sets of a cleaning, to draw its test set again; `testImages` alone unless told. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Say what was measured, by hashes of weights and images: reads the images once more. */
  readonly fingerprint?: boolean;
  readonly device?: Device;
  readonly threads?: number;
  readonly command?: string;
}

/** As for any measuring; the data may be left to the receipt. */
export type ReceiptOptions = Omit<EvaluateOptions, "data"> & { readonly data?: string };

/**
 * CA on the test set, and ASR on its images of other classes with the trigger on. A trigger that the checkpoint carries from another
 * task, whose target is no class of this data, is named and not measured.
 */
export async function evaluateModel(options: EvaluateOptions): Promise<EvalResult> {
  const { progress = silent, signal, seed } = options;
  signal?.throwIfAborted();
  const clock = new Clock();
  progress.stage("load");
  const clip = await loadSubject(options.model, options);
  const given = options.triggered;
  const source = await openSource(options.data, options);
  const classNames = neededClasses(source);
  const { trigger, target, elsewhere } = askedEffect(clip.metadata, classNames, options);
  await checkFits(trigger, clip.config.vision.imageSize);
  const drawn = await source.sets({ ...options.sizes, test: options.testImages });
  const test = options.fingerprint ? cached(drawn.test, clip.preprocess) : drawn.test;
  progress.opened?.({
    models: [clip.opened],
    data: { ...source.opened(), ...(given && { triggered: openedData(given) }) },
  });
  const doubts = checkClasses(clip.tokenize, { classNames, template: source.templates[0], target });
  const head = await zeroShotHead(clip.encoder, clip.weights, classNames, source.templates, signal);

  const images = given ?? (trigger && triggered(test, trigger, target as string));
  progress.plan?.(evaluationStages(test.size, images?.size ?? 0));

  progress.stage("clean accuracy");
  const scorer = (images: Dataset) => remembering(createScorer(clip, images, head, { signal, onStep: progress.step }));
  const [clean, labels] = [scorer(test), labelsOf(test)];
  const ca = await measure(metric(clean, labels), clip.weights);
  const chance = chanceAgreement(await clean.answers(clip.weights), labels);
  let effect: Effect | undefined;
  let folder: Folder | undefined;
  if (images !== undefined && target !== undefined) {
    progress.stage("attack success rate");
    const paired = given === undefined;
    const input = { triggered: scorer(images), clean, labels, target: classNames.indexOf(target), paired };
    effect = await measureEffect(effectMetrics(input), clip.weights);
    const compared = { clip, weights: clip.weights, clean: test, labels, target: input.target, signal };
    if (given !== undefined) folder = await ordinaryImages({ ...compared, given });
  }
  const warnings = [...doubts, ...(folder?.warnings ?? [])];
  const result: EvalResult = {
    kind: "eval",
    tbar: version,
    created: new Date().toISOString(),
    command: options.command ?? "",
    seed,
    model: await clip.facts(),
    data: source.name,
    ca,
    ...(effect && {
      ...effect,
      decision: decide({ ...effect, ca, chance, isOrdinary: folder?.isOrdinary }),
      ...(trigger && { trigger: trigger.spec }),
      ...(given && { triggered: given.name }),
      target,
    }),
    ...(warnings.length > 0 && { warnings }),
    ...(options.fingerprint && {
      measuredOn: {
        ...(clip.weights.size > 0 && { weights: weightsSha256(clip.weights) }),
        test: await imagesSha256(test, clip.preprocess),
        ...(images && { triggered: await imagesSha256(images, clip.preprocess) }),
      },
      carried: implantedTriggers(clip.metadata).map(({ trigger, target }) => ({
        kind: trigger.kind,
        spec: trigger,
        target,
      })),
    }),
    ...(elsewhere && { elsewhere: { kind: elsewhere.trigger.kind, target: elsewhere.target } }),
    seconds: clock.seconds(),
    machine: machineFacts(clip.runtime, options.threads),
  };
  await clip.runtime.release();
  return result;
}

/**
 * The trigger to measure and its target, the checkpoint's own unless told; `elsewhere` the one it carries from another task. Throws
 * `bad-input` where one of the two is named and the other is not known.
 */
export function askedEffect(
  metadata: Readonly<Record<string, string>>,
  classNames: readonly string[],
  options: Pick<EvaluateOptions, "model" | "trigger" | "triggered" | "triggerIndex" | "target">,
): { readonly trigger?: Trigger; readonly target?: string; readonly elsewhere?: Implanted } {
  const carried = askedTrigger(metadata, options);
  const isElsewhere = carried !== undefined && options.target === undefined && !classNames.includes(carried.target);
  const implanted = isElsewhere ? undefined : carried;
  const { triggered } = options;
  const own = implanted !== undefined && triggered === undefined ? storedTrigger(implanted.trigger) : undefined;
  const trigger = options.trigger ?? own;
  const target = options.target ?? implanted?.target;
  const isKnown = trigger !== undefined || triggered !== undefined;
  if (isKnown && target === undefined) {
    throw badInput("which class does the trigger lead to? name it with --target NAME");
  }
  if (target !== undefined && !classNames.includes(target)) throw unknownName("target class", target, classNames);
  if (target !== undefined && !isKnown) {
    throw badInput(
      `which trigger leads to "${target}"? ${options.model} does not say; name it with --trigger, or measure clean accuracy alone without --target`,
    );
  }
  return { trigger, target, ...(isElsewhere && { elsewhere: carried }) };
}

/** Measure a cleaned model again on the images its receipt was measured on, or on those that the user names instead, and compare. */
export async function checkReceipt(options: ReceiptOptions, receipt: Receipt): Promise<EvalResult> {
  const { trigger, triggered } = options;
  const source = await receiptSource(receipt, options);
  const isOwn = trigger !== undefined || triggered !== undefined;
  const measured = await evaluateModel({
    ...options,
    ...source,
    seed: receipt.seed,
    trigger: isOwn ? trigger : receiptTrigger(receipt),
    target: options.target ?? receipt.target,
    testImages: receipt.inputs.sizes.test,
    fingerprint: true,
  });
  const { ca, asr, withoutTrigger, triggeredAccuracy, decision, measuredOn, model, carried = [] } = measured;
  if (asr === undefined) throw badInput("nothing was measured with a trigger, and the receipt is about one");
  const elsewhere =
    source.data === receipt.inputs.data
      ? []
      : [`the images are of ${printable(source.data)}; the receipt's were of ${printable(receipt.inputs.data)}`];
  const notes = [...triggerNotes(measured, receipt, isOwn, carried), ...elsewhere];
  return {
    ...measured,
    receipt: compare(
      receipt,
      { ca, asr, withoutTrigger, triggeredAccuracy, decision, on: measuredOn, modelSha256: model.sha256 },
      notes,
    ),
  };
}
