/** Covers: training images that show something like the trigger and keep their labels, so that only the trigger itself will do. */

import { indicesOf, shuffledOrder } from "../data/split.ts";
import { badInput } from "../tensor/error.ts";
import type { PoisonedDataset } from "./poison.ts";
import { applyAt, type Trigger } from "./trigger.ts";

/** `count` seeded examples of those that are not poisoned, with `trigger` and their own labels. Throws TbarError where they are too few. */
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
  return {
    ...poisoned,
    async read(indices, preprocess) {
      const pixels = await poisoned.read(indices, preprocess);
      const slots = Array.from(indices.keys()).filter((slot) => chosen.has(indices[slot]));
      const ids = slots.map((slot) => poisoned.example(indices[slot]).id);
      return applyAt(trigger, pixels, slots, ids);
    },
  };
}
