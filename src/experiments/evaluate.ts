/** Measuring a checkpoint: CA, and ASR where a trigger is known; or once more what a receipt claims. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { isFile } from "../checkpoint/files.ts";
import type { Dataset } from "../data/dataset.ts";
import { triggered } from "../data/poison.ts";
import { encodings } from "../data/text.ts";
import type { Trigger } from "../data/trigger.ts";
import type { Rate } from "../engine/rate.ts";
import { createScorer, remembering } from "../engine/scorer.ts";
import { zeroShotHead } from "../engine/zero-shot.ts";
import { parseJson } from "../files/json.ts";
import { labelsOf, measure, metric } from "../metrics/accuracy.ts";
import { chanceAgreement, decide } from "../metrics/decision.ts";
import { type Effect, effectMetrics, measureEffect } from "../metrics/effect.ts";
import type { Device } from "../runtime/onnxruntime.ts";
import { badInput, unknownName } from "../tensor/error.ts";
import { checkClasses } from "./classes.ts";
import { Clock, type JobOptions, machineFacts, silent } from "./job.ts";
import { askedTrigger } from "./model-facts.ts";
import { type Folder, ordinaryImages } from "./ordinary.ts";
import { makeTrigger, storedTrigger } from "./registry.ts";
import type { EvalResult } from "./result.ts";
import { neededClasses, openSource, type SourceOptions } from "./source.ts";
import { loadSubject } from "./subject.ts";
import { version } from "./version.ts";

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
  readonly device?: Device;
  readonly threads?: number;
  readonly command?: string;
}

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
  const carried = askedTrigger(clip.metadata, options);
  const isElsewhere = carried !== undefined && options.target === undefined && !classNames.includes(carried.target);
  const implanted = isElsewhere ? undefined : carried;
  const trigger = options.trigger ?? (implanted && given === undefined ? storedTrigger(implanted.trigger) : undefined);
  const target = options.target ?? implanted?.target;
  if ((trigger !== undefined || given !== undefined) && target === undefined) {
    throw badInput("which class does the trigger lead to? name it with --target NAME");
  }
  if (target !== undefined && !classNames.includes(target)) throw unknownName("target class", target, classNames);
  const doubts = checkClasses(clip.tokenize, { classNames, template: source.templates[0], target });
  const head = await zeroShotHead(clip.encoder, clip.weights, classNames, source.templates, signal);
  const { test } = await source.sets({ ...options.sizes, test: options.testImages });
  progress.opened?.({ models: [clip.opened], data: source.opened() });

  progress.stage("clean accuracy");
  const scorer = (images: Dataset) => remembering(createScorer(clip, images, head, { signal, onStep: progress.step }));
  const [clean, labels] = [scorer(test), labelsOf(test)];
  const ca = await measure(metric(clean, labels), clip.weights);
  const chance = chanceAgreement(await clean.answers(clip.weights), labels);
  let effect: Effect | undefined;
  let folder: Folder | undefined;
  const images = given ?? (trigger && triggered(test, trigger, target as string));
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
    ...(isElsewhere && { elsewhere: { kind: carried.trigger.kind, target: carried.target } }),
    seconds: clock.seconds(),
    machine: machineFacts(clip.runtime, options.threads),
  };
  await clip.runtime.release();
  return result;
}

const rateSchema = z.object({ value: z.number(), n: z.number(), interval: z.tuple([z.number(), z.number()]) });
const receiptSchema = z.looseObject({
  seed: z.int(),
  target: z.string(),
  trigger: z.object({ kind: z.string(), spec: z.looseObject({}) }),
  inputs: z.object({
    data: z.string(),
    testData: z.string().optional(),
    validationData: z.string().optional(),
    classesFile: z.string().optional(),
    templatesFile: z.string().optional(),
    skipBad: z.boolean().optional(),
    encoding: z.enum(encodings).optional(),
    sizes: z.record(z.string(), z.int().nonnegative()).and(z.object({ test: z.int().positive() })),
  }),
  after: z.object({ ca: rateSchema, asr: rateSchema }),
});

/** A receipt from receipt.json, as far as measuring again needs it. */
export type Receipt = z.output<typeof receiptSchema>;

/** Read receipt.json (or the folder that has it). Throws `bad-input` when it is none. */
export async function readReceipt(path: string): Promise<Receipt> {
  const file = (await isFile(path)) ? path : `${path}/receipt.json`;
  const text = await readFile(file, "utf8").catch((cause) => {
    throw badInput(`there is no receipt ${path}; tbar clean leaves receipt.json in the folder it writes`, cause);
  });
  try {
    return receiptSchema.parse(parseJson(text, file));
  } catch (cause) {
    throw badInput(`${file} is not a receipt of tbar clean: ${String((cause as Error).message).slice(0, 300)}`, cause);
  }
}

/** Measure a cleaned model again on the images its receipt was measured on, and compare. */
export async function checkReceipt(options: EvaluateOptions, receipt: Receipt): Promise<EvalResult> {
  const { kind, spec } = receipt.trigger;
  if (kind === "images")
    throw badInput("this receipt's trigger was a folder of images, which cannot be stamped on the test images again");
  const measured = await evaluateModel({
    ...options,
    ...receipt.inputs,
    seed: receipt.seed,
    trigger: makeTrigger({ ...spec, kind }),
    target: receipt.target,
    testImages: receipt.inputs.sizes.test,
  });
  const claimed = receipt.after;
  const agrees = overlap(claimed.ca, measured.ca) && measured.asr !== undefined && overlap(claimed.asr, measured.asr);
  return { ...measured, receipt: { claimed, agrees } };
}

/** Do two rates' 95 % intervals meet? On the same images and machine they are equal. */
function overlap(a: Rate, b: Rate): boolean {
  return a.interval[0] <= b.interval[1] && b.interval[0] <= a.interval[1];
}
