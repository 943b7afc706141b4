/** Measuring a checkpoint: CA, and ASR where a trigger is known; or once more what a receipt claims. */
import { cached } from "../../data/cached.ts";
import type { Dataset } from "../../data/dataset.ts";
import { createScorer, remembering } from "../../engine/scorer.ts";
import { zeroShotHead } from "../../engine/zero-shot.ts";
import { labelsOf, measure, metric } from "../../metrics/accuracy.ts";
import { chanceAgreement, decide } from "../../metrics/decision.ts";
import { type Effect, effectMetrics, measureEffect } from "../../metrics/effect.ts";
import { made } from "../../results/base.ts";
import type { EvalResult } from "../../results/eval.ts";
import { imagesSha256, weightsSha256 } from "../../results/measured-on.ts";
import type { Rate } from "../../stats/rate.ts";
import { badInput } from "../../tensor/error.ts";
import { printable } from "../../tensor/printable.ts";
import { triggered } from "../../triggers/poison.ts";
import type { Context } from "../context.ts";
import { implantedTriggers } from "../inputs/model-facts.ts";
import { type Folder, ordinaryImages } from "../inputs/ordinary.ts";
import { evaluationStages } from "../progress/stages.ts";
import { compare, triggerNotes } from "../record/comparison.ts";
import { Clock, machineFacts } from "../record/facts.ts";
import type { Receipt } from "../record/receipt-schema.ts";
import { measureBeside } from "./beside.ts";
import { type Prepared, prepare } from "./prepare.ts";
import type { EvalSpec } from "./spec.ts";

/**
 * CA on the test set, and ASR on its images of other classes with the trigger on. A trigger that the checkpoint carries from another
 * task, whose target is no class of this data, is named and not measured. Beside a receipt its figures are compared.
 */
export async function evaluate(spec: EvalSpec, context: Context): Promise<EvalResult> {
  const clock = new Clock(context.progress);
  clock.stage("load");
  const ready = await prepare(spec, context);
  const measured = await measureAll(ready, spec, context, clock);
  return ready.receipt === undefined ? measured : withReceipt(measured, ready.receipt, ready, spec);
}

async function measureAll(ready: Prepared, spec: EvalSpec, context: Context, clock: Clock): Promise<EvalResult> {
  const { clip, source, classNames, trigger, triggered: given, target, elsewhere, receipt, seed } = ready;
  const { progress, signal, command } = context;
  const test = receipt === undefined ? ready.test : cached(ready.test, clip.preprocess); // read once more for its hash
  const head = await zeroShotHead(clip.encoder, clip.weights, classNames, source.templates, signal);
  const images = given ?? (trigger && triggered(test, trigger, target as string));
  progress.plan?.(evaluationStages(test.size, images?.size ?? 0));

  clock.stage("clean accuracy");
  const scorer = (images: Dataset) => remembering(createScorer(clip, images, head, { signal, onStep: progress.step }));
  const [clean, labels] = [scorer(test), labelsOf(test)];
  const ca = await measure(metric(clean, labels), clip.weights);
  const chance = chanceAgreement(await clean.answers(clip.weights), labels);
  let effect: Effect | undefined;
  let folder: Folder | undefined;
  if (images !== undefined && target !== undefined) {
    clock.stage("attack success rate");
    const input = { clean, labels, target: classNames.indexOf(target), paired: given === undefined };
    effect = await measureEffect(effectMetrics({ ...input, triggered: scorer(images) }), clip.weights);
    const compared = { clip, weights: clip.weights, clean: test, labels, target: input.target, signal };
    if (given !== undefined) folder = await ordinaryImages({ ...compared, given });
  }
  const figures: [string, Rate][] = [];
  const label = target === undefined ? undefined : classNames.indexOf(target);
  const measured = { clip, weights: clip.weights, head, target: label, signal };
  for (const { name, measure } of ready.metrics) {
    clock.stage(name);
    figures.push([name, await measure({ ...measured, images: test, ...(images && { triggered: images }) })]);
  }
  if (ready.reference !== undefined || ready.also.length > 0) clock.stage("beside");
  const beside = await measureBeside(ready, context);
  const warnings = [...ready.warnings, ...(folder?.warnings ?? [])];
  return {
    ...made("eval", 2, command),
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
    ...(figures.length > 0 && { metrics: Object.fromEntries(figures) }),
    ...beside,
    ...(warnings.length > 0 && { warnings }),
    ...(receipt && {
      measuredOn: {
        ...(clip.weights.size > 0 && { weights: weightsSha256(clip.weights) }),
        test: await imagesSha256(test, clip.preprocess),
        ...(images && { triggered: await imagesSha256(images, clip.preprocess) }),
      },
      carried: implantedTriggers(clip.metadata).map(({ trigger: spec, target }) => ({ kind: spec.kind, spec, target })),
    }),
    ...(elsewhere && { elsewhere: { kind: elsewhere.trigger.kind, target: elsewhere.target } }),
    seconds: clock.seconds(),
    machine: machineFacts(clip.runtime, spec.threads),
  };
}

/** What was measured beside what the receipt claims. */
function withReceipt(result: EvalResult, receipt: Receipt, { isOwn }: Prepared, { data }: EvalSpec): EvalResult {
  const { ca, asr, withoutTrigger, triggeredAccuracy, decision, measuredOn, model, carried = [] } = result;
  if (asr === undefined) throw badInput("nothing was measured with a trigger, and the receipt is about one");
  const elsewhere =
    data === undefined || data === receipt.inputs.data
      ? []
      : [`the images are of ${printable(data)}; the receipt's were of ${printable(receipt.inputs.data)}`];
  const notes = [...triggerNotes(result, receipt, isOwn, carried), ...elsewhere];
  const figures = { ca, asr, withoutTrigger, triggeredAccuracy, decision, on: measuredOn, modelSha256: model.sha256 };
  return { ...result, receipt: compare(receipt, figures, notes) };
}
