/** What the defender knows of the attack: a trigger to stamp, or a folder of images that carry it. Either gives the same sets. */
import type { Dataset } from "../../data/dataset.ts";
import { splitDataset } from "../../data/split.ts";
import { badInput } from "../../tensor/error.ts";
import { triggered } from "../../triggers/poison.ts";
import type { Trigger } from "../../triggers/trigger.ts";

/** Triggered images labelled as the target, none of the target's own class, for each purpose. */
export interface AttackSets {
  readonly forget: Dataset;
  /** The forget set's images without the trigger, where there are such. */
  readonly forgetClean?: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  readonly testClean?: Dataset;
}

export interface CleanSets {
  readonly forget: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
}

/** Stamp a known trigger on clean images. */
export function stampedSets(sets: CleanSets, trigger: Trigger, target: string): AttackSets {
  const forget = triggered(sets.forget, trigger, target);
  const test = triggered(sets.test, trigger, target);
  const validation = triggered(sets.validation, trigger, target);
  return { forget, forgetClean: forget.clean, validation, test, testClean: test.clean };
}

/** Images that carry the trigger already: 50 % to forget, 25 % to choose alpha, 25 % to measure. */
export function givenSets(images: Dataset, classNames: readonly string[], target: string, seed: number): AttackSets {
  if (images.size < 8) throw badInput(`${images.name} has ${images.size} triggered images; at least 8 are needed`);
  const label = classNames.indexOf(target);
  const labelled: Dataset = {
    ...images,
    classNames,
    example: (i) => ({ id: images.example(i).id, label }),
  };
  const quarter = Math.floor(images.size / 4);
  return splitDataset(labelled, { validation: quarter, test: quarter, forget: "rest" }, seed);
}
