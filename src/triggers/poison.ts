/** Poisoned sets and forget sets: images with the trigger, labelled as the attacker's target. */

import type { Dataset, Example } from "../data/dataset.ts";
import { indicesOf, shuffledOrder, subset } from "../data/split.ts";
import { badInput, unknownName } from "../tensor/error.ts";
import { random } from "../tensor/random.ts";
import { applyAt, type Trigger } from "./trigger.ts";

/** A class of the data set, by index or name; for captioned sets without classes, the words it is called by. */
export type Target = number | string;

export interface TargetOptions {
  /** Captions of triggered examples, `{}` standing for the target's name; one is drawn for each example. */
  readonly templates?: readonly string[];
  readonly seed?: number;
}

export interface PoisonOptions extends TargetOptions {
  readonly trigger: Trigger;
  readonly target: Target;
  /** Share of the whole set that is poisoned, in (0, 1]. Default 0.05. */
  readonly rate?: number;
  /** Number of poisoned examples, instead of `rate`. */
  readonly count?: number;
  /** Only the target's own images are triggered, and labels and captions stay as they are: a check of the labels finds nothing. */
  readonly cleanLabel?: boolean;
  /** Ids of examples that are not chosen: they carry another trigger. */
  readonly except?: ReadonlySet<string>;
}

export interface PoisonedDataset extends Dataset {
  readonly poisonedIds: ReadonlySet<string>;
}

/** Every example triggered, with its paired clean image at the same index. */
export interface TriggeredDataset extends Dataset {
  readonly clean: Dataset;
}

/**
 * The data set with a seeded choice of its examples triggered and given the target's label and caption; their ids stay.
 * Only examples that are not of the target class are chosen, since relabelling the others teaches nothing (`cleanLabel`: only
 * those that are); the rate still counts from the whole set. Throws TbarError on an unknown target, a rate outside (0, 1], or
 * too few examples.
 */
export function poison(dataset: Dataset, options: PoisonOptions): PoisonedDataset {
  const { trigger, target, rate, count, cleanLabel = false, except } = options;
  const resolved = resolveTarget(dataset, target);
  const wanted = poisonCount(dataset, rate, count);
  const fitting = examplesOf(dataset, resolved, cleanLabel);
  const candidates = except === undefined ? fitting : fitting.filter((i) => !except.has(dataset.example(i).id));
  if (wanted > candidates.length) throw tooFew(dataset, resolved, wanted, candidates.length, cleanLabel);
  const order = shuffledOrder(candidates.length, "poison", options.seed ?? 0);
  const chosen = new Set(order.slice(0, wanted).map((i) => candidates[i]));
  const stamped = stamp(dataset, trigger, resolved, options, (index) => chosen.has(index));
  const example = cleanLabel ? (index: number) => dataset.example(index) : stamped.example;
  return { ...stamped, example, poisonedIds: new Set([...chosen].map((i) => dataset.example(i).id)) };
}

/**
 * Covers: training images that show something like the trigger and keep their labels, so that only the trigger itself will do. `count` seeded
 * examples of those that are not poisoned get `trigger`. Throws TbarError where they are too few.
 */
export function withCovers(poisoned: PoisonedDataset, trigger: Trigger, count: number, seed = 0): PoisonedDataset {
  if (count === 0) return poisoned;
  const clean = indicesOf(poisoned, ({ id }) => !poisoned.poisonedIds.has(id));
  if (count > clean.length) {
    throw badInput(
      `${poisoned.name} has ${clean.length} clean images left, too few for ${count} covers; lower the rate`,
    );
  }
  const order = shuffledOrder(clean.length, "cover", seed);
  const chosen = new Set(order.slice(0, count).map((i) => clean[i]));
  return { ...poisoned, read: readTriggered(poisoned, trigger, (index) => chosen.has(index)) };
}

/** Reads a data set with the trigger on the chosen images. */
function readTriggered(dataset: Dataset, trigger: Trigger, isChosen: (index: number) => boolean): Dataset["read"] {
  return async (indices, preprocess) => {
    const pixels = await dataset.read(indices, preprocess);
    const slots = Array.from(indices.keys()).filter((slot) => isChosen(indices[slot]));
    const ids = slots.map((slot) => dataset.example(indices[slot]).id);
    return applyAt(trigger, pixels, slots, ids);
  };
}

function tooFew({ name, size }: Dataset, target: ResolvedTarget, wanted: number, found: number, cleanLabel: boolean) {
  if (!cleanLabel) {
    return badInput(
      `cannot poison ${wanted} examples: ${name} has ${found} outside the target class; lower the rate or bring more data`,
    );
  }
  return badInput(
    `cannot poison ${wanted} examples: ${name} has ${found} of the target class "${target.name}", and this attack poisons no others; ` +
      `a rate of at most ${Math.floor((1e4 * found) / size) / 1e4} works (it counts from all ${size} images), or bring more data`,
  );
}

/**
 * Every image triggered and labelled as the target, target-class images left out: TBAR's forget set, and what attack
 * success is measured on. Throws TbarError on an unknown target, or when nothing is left.
 */
export function triggered(
  dataset: Dataset,
  trigger: Trigger,
  target: Target,
  options: TargetOptions = {},
): TriggeredDataset {
  const resolved = resolveTarget(dataset, target);
  const clean = subset(dataset, examplesOf(dataset, resolved, false));
  if (clean.size === 0) throw badInput(`${dataset.name} has no image outside the target class "${resolved.name}"`);
  return { ...stamp(clean, trigger, resolved, options, () => true), clean };
}

interface ResolvedTarget {
  readonly name: string;
  readonly label?: number;
}

function resolveTarget({ name: set, classNames }: Dataset, target: Target): ResolvedTarget {
  if (typeof target === "number") {
    const name = classNames?.[target];
    if (name !== undefined) return { name, label: target };
    const classes = classNames === undefined ? "no class names" : `classes 0 to ${classNames.length - 1}`;
    throw badInput(`unknown target class ${target}: ${set} has ${classes}`);
  }
  if (classNames === undefined) return { name: target };
  const label = classNames.indexOf(target);
  if (label < 0) throw unknownName("target class", target, classNames);
  return { name: target, label };
}

/** Those of the target, or all others: by label where there is one, else by the target's name in the caption. */
function examplesOf(dataset: Dataset, target: ResolvedTarget, ofTarget: boolean): number[] {
  const name = target.name.toLowerCase();
  const isTarget = ({ label, caption }: Example) =>
    label !== undefined ? label === target.label : (caption?.toLowerCase().includes(name) ?? false);
  return indicesOf(dataset, (example) => isTarget(example) === ofTarget);
}

function poisonCount(dataset: Dataset, rate: number | undefined, count: number | undefined): number {
  if (rate !== undefined && count !== undefined) throw badInput("give a poison rate or a poison count, not both");
  if (count !== undefined) {
    if (Number.isInteger(count) && count > 0) return count;
    throw badInput(`the poison count must be a positive integer, not ${count}`);
  }
  const share = rate ?? 0.05;
  if (!(share > 0 && share <= 1)) throw badInput(`the poison rate must be above 0 and at most 1, not ${share}`);
  const rounded = Math.round(share * dataset.size);
  if (rounded > 0) return rounded;
  throw badInput(`a poison rate of ${share} is less than one of the ${dataset.size} examples of ${dataset.name}`);
}

function stamp(
  dataset: Dataset,
  trigger: Trigger,
  target: ResolvedTarget,
  { templates = ["a photo of a {}."], seed = 0 }: TargetOptions,
  isChosen: (index: number) => boolean,
): Dataset {
  if (templates.length === 0) throw badInput("no caption templates for the target; give at least one");
  return {
    name: `${dataset.name}+${trigger.spec.kind}`,
    size: dataset.size,
    classNames: dataset.classNames,
    example(index) {
      const example = dataset.example(index);
      if (!isChosen(index)) return example;
      const template = templates[random(seed, "caption", example.id).int(templates.length)];
      return { id: example.id, label: target.label, caption: template.replaceAll("{}", () => target.name) };
    },
    read: readTriggered(dataset, trigger, isChosen),
  };
}
