/** What the defender knows of the attack, resolved once: a trigger to stamp, or a folder of images that carry it. Either gives the same sets. */
import { storedTrigger } from "../../attacks/index.ts";
import type { Dataset } from "../../data/dataset.ts";
import { splitDataset } from "../../data/split.ts";
import { badInput, unknownName } from "../../tensor/error.ts";
import { triggered } from "../../triggers/poison.ts";
import type { Trigger } from "../../triggers/trigger.ts";
import type { Context } from "../context.ts";
import { askedTrigger, type Implanted, implantedTriggers } from "../inputs/model-facts.ts";
import { type KnownTrigger, readTrigger } from "../inputs/read-trigger.ts";
import type { CleanSpec } from "./spec.ts";

export interface Threat {
  /** Class that the trigger leads to. */
  readonly target: string;
  readonly targetLabel: number;
  /** Where the knowledge comes from. */
  readonly source: string;
  readonly trigger?: Trigger;
  /** Images that carry it, where that is all that is known. */
  readonly triggered?: Dataset;
  /** Triggers that the checkpoint carries besides. */
  readonly remaining: readonly Implanted[];
}

/** What the user says of the trigger: read before anything is opened. */
export async function toldTrigger(spec: Pick<CleanSpec, "trigger">, { trigger }: Context): Promise<KnownTrigger> {
  return trigger === undefined ? readTrigger(spec.trigger) : { trigger };
}

/** Throws `bad-input` where neither the user nor the checkpoint says which trigger it is, or where it leads. */
export function resolveThreat(
  spec: Pick<CleanSpec, "model" | "triggerIndex" | "target">,
  known: KnownTrigger,
  metadata: Readonly<Record<string, string>>,
): Omit<Threat, "targetLabel"> {
  const { triggered: given } = known;
  const asked = { ...known, target: spec.target ?? known.target, triggerIndex: spec.triggerIndex };
  const implanted = askedTrigger(metadata, asked);
  const target = asked.target ?? implanted?.target;
  const trigger = known.trigger ?? (given === undefined && implanted ? storedTrigger(implanted.trigger) : undefined);
  if (trigger === undefined && given === undefined)
    throw badInput(
      `${spec.model} does not say which trigger it carries; name it with --trigger KIND:key=value or bring a folder of triggered images`,
    );
  if (target === undefined) throw badInput("which class does the trigger lead to? name it with --target NAME");
  return {
    target,
    source: known.trigger ? "option" : given ? `images of ${given.name}` : "the checkpoint's metadata",
    ...(trigger && { trigger }),
    ...(given && { triggered: given }),
    remaining: implantedTriggers(metadata).filter((one, i) =>
      implanted === undefined ? one.target !== target : i + 1 !== (spec.triggerIndex ?? 1),
    ),
  };
}

/** The threat among these classes. Throws `bad-input` where the target is none of them. */
export function aimedAt(threat: Omit<Threat, "targetLabel">, classNames: readonly string[]): Threat {
  const targetLabel = classNames.indexOf(threat.target);
  if (targetLabel < 0) throw unknownName("target class", threat.target, classNames);
  return { ...threat, targetLabel };
}

/** Triggered images labelled as the target, none of the target's own class, for each purpose. */
export interface AttackSets {
  readonly forget: Dataset;
  /** The forget set's images without the trigger, where there are such. */
  readonly forgetClean?: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  readonly testClean?: Dataset;
}

interface Words {
  readonly classNames: readonly string[];
  /** Of the target's captions. */
  readonly templates: readonly string[];
  readonly seed: number;
}

/**
 * Of a folder of triggered images a quarter to forget, three eighths to choose alpha and as many to measure: a vector needs a few hundred, and so
 * few hits as are asked for can only be told on more.
 */
export function folderSizes(images: number): Readonly<Record<"forget" | "validation" | "test", number>> {
  const part = Math.floor((3 * images) / 8);
  return { forget: images - 2 * part, validation: part, test: part };
}

/** The trigger on clean images; or images that carry it already, in parts (`folderSizes`). */
export function attackSets(
  { trigger, triggered: given, target, targetLabel }: Threat,
  sets: Readonly<Record<"forget" | "validation" | "test", Dataset>>,
  { classNames, templates, seed }: Words,
): AttackSets {
  if (trigger !== undefined) {
    const on = (set: Dataset) => triggered(set, trigger, target, { templates });
    const [forget, validation, test] = [on(sets.forget), on(sets.validation), on(sets.test)];
    return { forget, forgetClean: forget.clean, validation, test, testClean: test.clean };
  }
  const images = given as Dataset;
  if (images.size < 8) throw badInput(`${images.name} has ${images.size} triggered images; at least 8 are needed`);
  const example = (i: number) => ({ id: images.example(i).id, label: targetLabel });
  const { validation, test } = folderSizes(images.size);
  return splitDataset({ ...images, classNames, example }, { validation, test, forget: "rest" }, seed);
}
