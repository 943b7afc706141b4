/** Triggers that a model carries from earlier attacks: a further one must not make it forget them. */
import { storedTrigger } from "../../attacks/index.ts";
import { badInput } from "../../tensor/error.ts";
import { type PoisonedDataset, type PoisonOptions, poison } from "../../triggers/poison.ts";
import type { Trigger } from "../../triggers/trigger.ts";
import { implantedTriggers } from "./model-facts.ts";

export interface Carried {
  readonly trigger: Trigger;
  readonly target: string;
}

/** The triggers that the model brings along. Throws `bad-input` on one that cannot be kept alive with this data. */
export function carriedTriggers(metadata: Readonly<Record<string, string>>, classNames: readonly string[]): Carried[] {
  return implantedTriggers(metadata).map(({ trigger, target }) => {
    if (classNames.includes(target)) return { trigger: storedTrigger(trigger), target };
    throw badInput(
      `the model carries a trigger that leads to "${target}", which is no class of this data: it would be lost; bring data that has the class`,
    );
  });
}

/** Other images poisoned with the triggers carried before, as many for each: without them they would be forgotten. */
export function keepCarried(
  poisoned: PoisonedDataset,
  carried: readonly Carried[],
  options: Pick<PoisonOptions, "rate" | "seed" | "templates">,
): PoisonedDataset {
  return carried.reduce((set, one) => {
    const more = poison(set, { ...options, ...one, except: set.poisonedIds });
    return { ...more, poisonedIds: new Set([...set.poisonedIds, ...more.poisonedIds]) };
  }, poisoned);
}
