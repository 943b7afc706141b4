/** What is to be measured, on what: known before a pixel is read. A receipt says it for what it was measured on. */
import { storedTrigger } from "../../attacks/index.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { FurtherMetric } from "../../metrics/further.ts";
import { metricsNamed } from "../../metrics/index.ts";
import { badInput, unknownName } from "../../tensor/error.ts";
import { triggered as carrying } from "../../triggers/poison.ts";
import type { Trigger } from "../../triggers/trigger.ts";
import type { Context } from "../context.ts";
import { checkClasses } from "../inputs/classes.ts";
import { openedData } from "../inputs/describe-opened.ts";
import { checkFits } from "../inputs/feasible.ts";
import { askedTrigger, type Implanted } from "../inputs/model-facts.ts";
import { modelPath } from "../inputs/names.ts";
import { readTrigger } from "../inputs/read-trigger.ts";
import { neededClasses, openSource, type Source } from "../inputs/source.ts";
import { loadSubject, type Subject } from "../inputs/subject.ts";
import { readReceipt, receiptSource, receiptTrigger } from "../record/receipt.ts";
import type { Receipt } from "../record/receipt-schema.ts";
import { openBeside } from "./beside.ts";
import { type EvalSpec, usual } from "./spec.ts";

/** What is known of the trigger without the checkpoint's help. */
interface Known {
  readonly trigger?: Trigger;
  /** Images that carry it already; all of them are measured. */
  readonly triggered?: Dataset;
  readonly target?: string;
}

export interface Prepared extends Known {
  readonly clip: Subject;
  readonly source: Source;
  readonly classNames: readonly string[];
  readonly test: Dataset;
  readonly seed: number;
  readonly receipt?: Receipt;
  /** The trigger is the user's, not the receipt's. */
  readonly isOwn: boolean;
  /** A trigger that the checkpoint carries from another task. */
  readonly elsewhere?: Implanted;
  readonly metrics: readonly FurtherMetric[];
  /** Another checkpoint to stand beside. */
  readonly reference?: Subject;
  /** Other data sets. */
  readonly also: readonly { readonly source: Source; readonly test: Dataset }[];
  readonly warnings: readonly string[];
}

export async function prepare(spec: EvalSpec, context: Context): Promise<Prepared> {
  const asked = metricsNamed(spec.metrics);
  const receipt = spec.receipt === undefined ? undefined : await readReceipt(spec.receipt);
  if (receipt !== undefined) {
    refuseOther("--test", spec.testImages, receipt.inputs.sizes.test);
    refuseOther("--seed", spec.seed, receipt.seed);
  }
  const named = receipt === undefined ? { ...spec, sizes: {} } : await receiptSource(receipt, spec);
  const { data } = named;
  if (data === undefined)
    throw badInput("--data is missing: which images? A path, or the built-in world: --data shapes");
  const own: Known = context.trigger ? { trigger: context.trigger } : await readTrigger(spec.trigger);
  const isOwn = (own.trigger ?? own.triggered) !== undefined;
  const known = {
    ...own,
    ...(receipt && !isOwn && { trigger: receiptTrigger(receipt) }),
    target: spec.target ?? own.target ?? receipt?.target,
  };
  const seed = receipt?.seed ?? spec.seed ?? usual.seed;
  const testImages = receipt?.inputs.sizes.test ?? spec.testImages ?? usual.testImages;
  const clip = await loadSubject(modelPath(spec.model), { ...spec, ...context });
  const source = await openSource(data, { ...named, seed });
  const classNames = neededClasses(source);
  const effect = effectOf(clip.metadata, classNames, { ...known, model: spec.model, triggerIndex: spec.triggerIndex });
  await checkFits(effect.trigger, clip.config.vision.imageSize);
  const { test } = await source.sets({ ...named.sizes, test: testImages });
  const { triggered } = known;
  context.progress.opened?.({
    models: [clip.opened],
    data: { ...source.opened(), ...(triggered && { triggered: openedData(triggered) }) },
  });
  const { target } = effect;
  const warnings = [...checkClasses(clip.tokenize, { classNames, template: source.templates[0], target })];
  const marked = triggered ?? (effect.trigger && carrying(test, effect.trigger, target as string));
  const lacking = asked.filter((one) => one.size(test, marked) === 0);
  if (lacking.length > 0)
    warnings.push(
      `${lacking.map(({ name }) => name).join(", ")} cannot be measured on these images: they lack what it needs, such as captions, a trigger, or more classes`,
    );
  const metrics = asked.filter((one) => !lacking.includes(one));
  const beside = await openBeside(spec, seed, testImages, context);
  const about = { receipt, isOwn, metrics, warnings, ...beside };
  return { ...effect, ...about, clip, source, classNames, test, seed, ...(triggered && { triggered }) };
}

/** Throws `bad-input` where the user asks for other images than those that the receipt is about. */
function refuseOther(option: string, given: number | undefined, own: number): void {
  if (given === undefined || given === own) return;
  throw badInput(
    `${option} ${given} beside a receipt of ${option} ${own}: a receipt is measured as it was made; leave ${option} out`,
  );
}

/**
 * The trigger to measure and its target, the checkpoint's own unless told; `elsewhere` the one it carries from another task. Throws
 * `bad-input` where one of the two is named and the other is not known.
 */
function effectOf(
  metadata: Readonly<Record<string, string>>,
  classNames: readonly string[],
  told: Known & Pick<EvalSpec, "model" | "triggerIndex">,
): Pick<Prepared, "trigger" | "target" | "elsewhere"> {
  const carried = askedTrigger(metadata, told);
  const isElsewhere = carried !== undefined && told.target === undefined && !classNames.includes(carried.target);
  const implanted = isElsewhere ? undefined : carried;
  const own = implanted !== undefined && told.triggered === undefined ? storedTrigger(implanted.trigger) : undefined;
  const trigger = told.trigger ?? own;
  const target = told.target ?? implanted?.target;
  const isKnown = trigger !== undefined || told.triggered !== undefined;
  if (isKnown && target === undefined)
    throw badInput("which class does the trigger lead to? name it with --target NAME");
  if (target !== undefined && !classNames.includes(target)) throw unknownName("target class", target, classNames);
  if (target !== undefined && !isKnown)
    throw badInput(
      `which trigger leads to "${target}"? ${told.model} does not say; name it with --trigger, or measure clean accuracy alone without --target`,
    );
  return { ...(trigger && { trigger }), target, ...(isElsewhere && { elsewhere: carried }) };
}
