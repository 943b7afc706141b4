/** TBAR with an anchored forget set (ours): a quarter as many clean images keep the vector from unlearning the task itself. */

import type { Dataset } from "../data/dataset.ts";
import { concat, take } from "../data/split.ts";
import type { DefenseInput, Removal } from "./defense.ts";
import { tbar } from "./tbar.ts";

export async function anchored(input: DefenseInput): Promise<Removal> {
  return { ...(await tbar({ ...input, forget: anchoredSet(input) })), settings: { anchor: anchorShare } };
}

const anchorShare = 0.25;
const sets = new WeakMap<Dataset, Dataset>();

/** The forget set with its anchor; one and the same for one forget set, so that it is trained on once. */
export function anchoredSet({ forget, clean }: Pick<DefenseInput, "forget" | "clean">): Dataset {
  const known = sets.get(forget);
  if (known !== undefined) return known;
  const set = concat([forget, take(clean, Math.min(clean.size, Math.round(anchorShare * forget.size)))]);
  sets.set(forget, set);
  return set;
}
